//! The measurements: each of them gives every variant its turn, block by block or start by start.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use rustls::ClientConfig;

use crate::harness::figures::{Cold, Spread, Throttled, Throughput, Warm, extremes, median, micros};
use crate::harness::instance::{Instance, Variant, on_core};
use crate::harness::store::{PATIENCE, Store};

/// As long as an instance needs to get over its last answer.
const SETTLE: Duration = Duration::from_millis(2);
/// How often the CPU of a throttled instance is looked at.
const METER: Duration = Duration::from_micros(200);

/// What all measurements need.
pub(crate) struct Stage<'a> {
    pub(crate) event: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) store: &'a Store,
    /// For the floor of a read; `None` without TLS.
    pub(crate) tls: Option<&'a Arc<ClientConfig>>,
    pub(crate) variants: &'a [Variant],
    /// Where instances run.
    pub(crate) cores: &'a [usize],
    pub(crate) dir: &'a Path,
}

/// One variant while it is measured.
struct Turn<'a> {
    variant: &'a Variant,
    instance: Instance,
    blocks: Vec<Vec<Duration>>,
    cpu: Duration,
    reads: u64,
}

// === impl Stage ===

impl Stage<'_> {
    /// Warm invocations, in blocks that alternate.
    pub(crate) fn warm(&self, measured: usize, block: usize) -> Result<Vec<Warm>> {
        let mut turns = self.variants.iter().map(|variant| self.turn(variant)).collect::<Result<Vec<_>>>()?;
        for turn in &turns {
            turn.instance.run(turn.variant.warm_ups, PATIENCE).with_context(|| turn.variant.name.clone())?;
        }
        let mut raw = self.store.raw_client(self.tls, self.subject)?;
        let mut raw_blocks = Vec::new();
        for _ in 0..measured.div_ceil(block) {
            for turn in &mut turns {
                turn.block(block, self.store).with_context(|| turn.variant.name.clone())?;
            }
            let mut reads = Vec::new();
            thread::scope(|scope| {
                let work = scope.spawn(|| on_core(self.core(), || raw.read(block)));
                reads = work.join().map_err(|_| anyhow::anyhow!("the raw client has panicked"))???;
                anyhow::Ok(())
            })?;
            raw_blocks.push(reads);
        }
        let mut figures = turns.iter().map(Turn::figures).collect::<Result<Vec<_>>>()?;
        figures.push(warm("floor: a read of the store", &raw_blocks)?);
        Ok(figures)
    }

    /// Starts, one variant after the other.
    pub(crate) fn cold(&self, runs: usize) -> Result<Vec<Cold>> {
        let mut measured: Vec<Vec<[f64; 5]>> = vec![Vec::new(); self.variants.len()];
        for _ in 0..runs {
            for (variant, into) in self.variants.iter().zip(&mut measured) {
                into.push(self.one_start(variant).with_context(|| variant.name.clone())?);
            }
        }
        let of_one = |(variant, runs): (&Variant, Vec<[f64; 5]>)| {
            let column = |read: fn(&[f64; 5]) -> f64| median(runs.iter().map(read).collect());
            Ok(Cold {
                name: variant.name.clone(),
                runs: runs.len(),
                init_us: column(|[init, ..]| *init)?,
                first_us: column(|[_, first, ..]| *first)?,
                total_us: column(|[_, _, total, ..]| *total)?,
                init_cpu_us: column(|[.., cpu, _]| *cpu)?,
                first_cpu_us: column(|[.., cpu]| *cpu)?,
            })
        };
        self.variants.iter().zip(measured).map(of_one).collect()
    }

    fn one_start(&self, variant: &Variant) -> Result<[f64; 5]> {
        let instance = self.instance(variant, self.core())?;
        let polled = instance.api.first_poll(PATIENCE)?;
        thread::sleep(SETTLE);
        let init_cpu = instance.cpu()?;
        let first = instance.run(1, PATIENCE)?.into_iter().sum();
        thread::sleep(SETTLE);
        let first_cpu = instance.cpu()?.saturating_sub(init_cpu);
        let init = polled.duration_since(instance.started);
        Ok([init, first, init + first, init_cpu, first_cpu].map(micros))
    }

    /// First invocations under a quota, as the Linux scheduler keeps it: once the instance has used its share of a
    /// period it is stopped until the next one. The first period begins with the event.
    pub(crate) fn throttled(&self, runs: usize, period: Duration, quota: Duration) -> Result<Vec<Throttled>> {
        let mut measured = vec![Vec::new(); self.variants.len()];
        for _ in 0..runs {
            for (variant, into) in self.variants.iter().zip(&mut measured) {
                let time = self.one_throttled(variant, period, quota).with_context(|| variant.name.clone())?;
                into.push(micros(time));
            }
        }
        let of_one = |(variant, times): (&Variant, Vec<f64>)| {
            let [least_us, most_us] = extremes(times.clone())?;
            let (runs, name) = (times.len(), variant.name.clone());
            Ok(Throttled { name, runs, first_us: median(times)?, least_us, most_us })
        };
        self.variants.iter().zip(measured).map(of_one).collect()
    }

    fn one_throttled(&self, variant: &Variant, period: Duration, quota: Duration) -> Result<Duration> {
        let instance = self.instance(variant, self.core())?;
        instance.api.first_poll(PATIENCE)?;
        thread::sleep(SETTLE);
        let start = Instant::now();
        let mut used_before = instance.cpu()?;
        let mut period_ends = period;
        instance.api.hand_out(1);
        while !instance.api.is_done(1, METER) {
            ensure!(start.elapsed() < PATIENCE, "no answer within {} s", PATIENCE.as_secs());
            if instance.cpu()?.saturating_sub(used_before) >= quota {
                instance.signal(Signal::STOP)?;
                thread::sleep(period_ends.saturating_sub(start.elapsed()));
                instance.signal(Signal::CONT)?;
            }
            if start.elapsed() >= period_ends {
                period_ends += period;
                used_before = instance.cpu()?;
            }
        }
        Ok(instance.api.finish(1, PATIENCE)?.into_iter().sum())
    }

    /// As many instances as there are cores, each with as many invocations in a row.
    pub(crate) fn throughput(&self, measured: usize, rounds: usize) -> Result<Vec<Throughput>> {
        let mut groups = Vec::new();
        for variant in self.variants {
            let start = |core: &usize| self.ready(variant, Some(*core));
            let instances = self.cores.iter().map(start).collect::<Result<Vec<_>>>()?;
            for instance in &instances {
                instance.run(variant.warm_ups, PATIENCE).with_context(|| variant.name.clone())?;
            }
            groups.push((variant, instances, Vec::new()));
        }
        for _ in 0..rounds {
            for (variant, instances, per_second) in &mut groups {
                let start = Instant::now();
                for instance in instances.iter() {
                    instance.api.hand_out(measured);
                }
                let mut invocations = 0_u32;
                for instance in instances.iter() {
                    let times = instance.api.finish(measured, PATIENCE).with_context(|| variant.name.clone())?;
                    invocations += u32::try_from(times.len())?;
                }
                per_second.push(f64::from(invocations) / start.elapsed().as_secs_f64());
            }
        }
        let of_one = |(variant, instances, rounds): (&Variant, Vec<Instance>, Vec<f64>)| {
            let (name, instances) = (variant.name.clone(), instances.len());
            Ok(Throughput { name, instances, per_second: median(rounds.clone())?, rounds })
        };
        groups.into_iter().map(of_one).collect()
    }

    /// Exactly so many invocations, then the end: for who counts instructions.
    pub(crate) fn fixed(&self, requests: usize) -> Result<()> {
        for variant in self.variants {
            // Not `ready`: counting slows it down fifty times, so that the first read may have been tried twice.
            let instance = self.instance(variant, self.core())?;
            instance.api.first_poll(PATIENCE)?;
            instance.run(requests, PATIENCE * 5).with_context(|| variant.name.clone())?;
            instance.end(PATIENCE)?;
        }
        Ok(())
    }

    fn core(&self) -> Option<usize> {
        self.cores.last().copied()
    }

    fn instance(&self, variant: &Variant, core: Option<usize>) -> Result<Instance> {
        Instance::start(variant, self.event, core, self.dir)
    }

    /// An instance that has answered once, and rightly.
    fn ready(&self, variant: &Variant, core: Option<usize>) -> Result<Instance> {
        let start = || {
            let instance = self.instance(variant, core)?;
            instance.api.first_poll(PATIENCE)?;
            let reads = self.store.reads();
            instance.run(1, PATIENCE)?;
            let answer = instance.api.answer().unwrap_or_default();
            let answer = String::from_utf8_lossy(&answer);
            ensure!(answer.contains(r#""Effect":"Allow""#), "answered {answer}");
            ensure!(self.store.reads() == reads + u64::from(variant.reads), "not one read for one invocation");
            Ok(instance)
        };
        start().with_context(|| format!("{} is not fit to be measured", variant.name))
    }

    fn turn<'v>(&self, variant: &'v Variant) -> Result<Turn<'v>> {
        let instance = self.ready(variant, self.core())?;
        Ok(Turn { variant, instance, blocks: Vec::new(), cpu: Duration::ZERO, reads: 0 })
    }
}

// === impl Turn ===

impl Turn<'_> {
    fn block(&mut self, count: usize, store: &Store) -> Result<()> {
        let (cpu, reads) = (self.instance.cpu()?, store.reads());
        self.blocks.push(self.instance.run(count, PATIENCE)?);
        thread::sleep(SETTLE);
        self.cpu += self.instance.cpu()?.saturating_sub(cpu);
        self.reads += store.reads() - reads;
        Ok(())
    }

    fn figures(&self) -> Result<Warm> {
        let (rss, anon) = self.instance.memory()?;
        let mut figures = warm(&self.variant.name, &self.blocks)?;
        let count = f64::from(u32::try_from(figures.invocations)?);
        figures.cpu_us = Some(micros(self.cpu) / count);
        (figures.rss_kib, figures.rss_anon_kib) = (Some(rss), Some(anon));
        figures.reads_per_invocation = f64::from(u32::try_from(self.reads)?) / count;
        figures.answer = self.instance.api.answer().and_then(|answer| serde_json::from_slice(&answer).ok());
        Ok(figures)
    }
}

fn warm(name: &str, blocks: &[Vec<Duration>]) -> Result<Warm> {
    let all = blocks.concat();
    let medians = blocks.iter().map(|block| Ok(Spread::of(block)?.p50_us)).collect::<Result<Vec<_>>>()?;
    Ok(Warm {
        name: name.to_owned(),
        invocations: all.len(),
        time: Spread::of(&all)?,
        block_p50_us: extremes(medians)?,
        cpu_us: None,
        rss_kib: None,
        rss_anon_kib: None,
        reads_per_invocation: 1.0,
        answer: None,
    })
}
