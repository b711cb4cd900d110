//! Who used the processors, and how much memory the functions took, as Linux tells it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Serialize;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// `/proc` counts processor time in these (`USER_HZ`, 100 on every platform Linux runs on that we do).
const TICKS_PER_SECOND: f64 = 100.0;

/// Looks from time to time.
pub(super) struct Watch {
    end: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

/// Cores used on average, and memory. Zero where there is no `/proc`.
#[derive(Debug, Default, Serialize)]
pub(super) struct Usage {
    pub(super) cores: usize,
    /// The emulator's process.
    pub(super) emulator: f64,
    /// The functions' processes.
    pub(super) functions: f64,
    /// This one: events, callers, looking.
    pub(super) sender: f64,
    /// Everything the machine did, others' work included.
    pub(super) machine: f64,
    /// Of all functions together at the worst moment, KiB.
    pub(super) peak_rss_kib: u64,
    /// How many processes of functions there were then.
    pub(super) peak_processes: usize,
    /// The emulator's memory at the worst moment, KiB.
    pub(super) emulator_rss_kib: u64,
}

/// Ticks at the first and at the last look, by process; and the peaks.
#[derive(Default)]
struct Seen {
    emulator: Span,
    sender: Span,
    machine: Span,
    functions: HashMap<u32, Span>,
    peak_rss_kib: u64,
    peak_processes: usize,
    emulator_rss_kib: u64,
}

#[derive(Clone, Copy, Default)]
struct Span(Option<(u64, u64)>);

// === impl Watch ===

impl Watch {
    /// Watches the emulator's process and the functions whose binaries lie below `dir`.
    pub(super) fn start(emulator: u32, dir: &Path) -> Self {
        let end = Arc::new(AtomicBool::new(false));
        let (dir, until) = (dir.to_owned(), end.clone());
        let thread = thread::spawn(move || {
            let mut seen = Seen::default();
            seen.look(emulator, &dir);
            while !until.load(Ordering::Relaxed) {
                thread::sleep(PAUSE);
                seen.look(emulator, &dir);
            }
            seen
        });
        Self { end, thread }
    }

    /// What was used, over the time it took.
    pub(super) fn stop(self, took: Duration) -> Usage {
        self.end.store(true, Ordering::Relaxed);
        let seen = self.thread.join().unwrap_or_default();
        let cores =
            |ticks: u64| f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / TICKS_PER_SECOND / took.as_secs_f64();
        Usage {
            cores: thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get),
            emulator: cores(seen.emulator.ticks()),
            functions: cores(seen.functions.values().map(Span::ticks).sum()),
            sender: cores(seen.sender.ticks()),
            machine: cores(seen.machine.ticks()),
            peak_rss_kib: seen.peak_rss_kib,
            peak_processes: seen.peak_processes,
            emulator_rss_kib: seen.emulator_rss_kib,
        }
    }
}

// === impl Seen ===

impl Seen {
    fn look(&mut self, emulator: u32, dir: &Path) {
        self.emulator.note(ticks(emulator));
        self.sender.note(ticks(std::process::id()));
        self.machine.note(busy());
        self.emulator_rss_kib = self.emulator_rss_kib.max(rss_kib(emulator));
        let functions = functions(dir);
        let rss: u64 = functions.iter().map(|pid| rss_kib(*pid)).sum();
        if rss > self.peak_rss_kib {
            (self.peak_rss_kib, self.peak_processes) = (rss, functions.len());
        }
        for pid in functions {
            self.functions.entry(pid).or_default().note(ticks(pid));
        }
    }
}

// === impl Span ===

impl Span {
    fn note(&mut self, ticks: Option<u64>) {
        if let Some(now) = ticks {
            self.0 = Some((self.0.map_or(now, |(first, _)| first), now));
        }
    }

    fn ticks(&self) -> u64 {
        self.0.map_or(0, |(first, last)| last.saturating_sub(first))
    }
}

fn functions(dir: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let is_function = |path: &PathBuf| fs::read_link(path.join("exe")).is_ok_and(|binary| binary.starts_with(dir));
    let pid = |path: PathBuf| path.file_name()?.to_str()?.parse().ok();
    entries.flatten().map(|entry| entry.path()).filter(is_function).filter_map(pid).collect()
}

/// Processor time of a process, in ticks: fields 14 and 15 of its `stat`, after the name in parentheses.
fn ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// All processors' ticks that were not idle.
fn busy() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let numbers: Vec<u64> = stat.lines().next()?.split_whitespace().skip(1).filter_map(|it| it.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    Some(numbers.iter().enumerate().filter(|(n, _)| ![3, 4].contains(n) && *n < 8).map(|(_, ticks)| ticks).sum())
}

fn rss_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
