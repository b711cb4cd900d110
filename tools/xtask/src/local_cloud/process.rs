//! Processes we did not start ourselves in this run: is it ours, and ending it with its children.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::run;

/// How long a group may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether a process with this id runs `script`.
pub(super) fn runs(pid: u32, script: &Path) -> bool {
    let script = script.to_string_lossy();
    // Slim containers have no `ps`; only Linux has /proc.
    let command_line = match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => run::capture(Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()])).unwrap_or_default(),
    };
    command_line.contains(script.as_ref())
}

/// Asks a process group to end and, if it does not, ends it. `leader_has_ended` is asked besides: a child that ended
/// counts as a member of its group until its parent has noticed.
pub(super) fn end_group(leader: u32, mut leader_has_ended: impl FnMut() -> bool) {
    signal("TERM", leader);
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if leader_has_ended() || !signal("0", leader) {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    // Whatever the leader left behind.
    signal("KILL", leader);
}

/// Signals a group; answers whether there was one. The shell's own `kill`: no package to depend on, and no `unsafe`.
fn signal(name: &str, leader: u32) -> bool {
    run::works(Command::new("sh").args(["-c", &format!("kill -s {name} -- -{leader}")]))
}
