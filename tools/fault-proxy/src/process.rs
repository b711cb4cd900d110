//! Which process is at the other end of a connection, and its end.

use std::fs;
use std::net::SocketAddr;

use rustix::process::{Pid, Signal, kill_process};

/// How often the table is read anew: the kernel hands it out in pieces, and while connections come and go a row may be missed.
const LOOKS: usize = 8;

/// The process at the other end of a connection from `peer` to `here`, looked for in one process group, or in all; `None` where
/// there is no `/proc`, or it is gone. It takes milliseconds.
pub(crate) fn at(peer: SocketAddr, here: SocketAddr, group: Option<u32>) -> Option<u32> {
    (0..LOOKS).find_map(|_| look(peer, here, group))
}

fn look(peer: SocketAddr, here: SocketAddr, group: Option<u32>) -> Option<u32> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = inode_of(&table, peer, here)?;
    let socket = format!("socket:[{inode}]");
    let mut pids: Vec<u32> =
        fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    // The youngest first: functions are started all the time, and everything else was there before.
    pids.sort_unstable_by(|a, b| b.cmp(a));
    let is_meant = |pid: &u32| group.is_none_or(|group| group_of(*pid) == Some(group));
    pids.into_iter().filter(is_meant).find(|pid| holds(*pid, &socket))
}

/// The fifth field of `stat`, the third after the command's name, which may have anything in it (proc(5)).
fn group_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// Ends a process at once, as a sandbox that fails does.
pub(crate) fn kill(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn holds(pid: u32, socket: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == socket))
}

/// The row from `local` to `remote`: a port may be used towards several others at the same time.
fn inode_of(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<&str> {
    let (local, remote) = (in_hexadecimal(local)?, in_hexadecimal(remote)?);
    let is_meant = |row: &&str| {
        let mut words = row.split_ascii_whitespace().skip(1);
        words.next() == Some(local.as_str()) && words.next() == Some(remote.as_str())
    };
    table.lines().find(is_meant)?.split_ascii_whitespace().nth(9)
}

/// As in `/proc/net/tcp`: the address in the machine's byte order, the port in the network's (proc(5)).
fn in_hexadecimal(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    let ip = u32::from_ne_bytes(address.ip().octets());
    Some(format!("{ip:08X}:{:04X}", address.port()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_process_at_the_other_end_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let here = server.local_addr().unwrap();
        let own = std::process::id();
        let group = group_of(own).unwrap();
        // What another test starts holds copies of this process's descriptors until it has become another program.
        let is_found = |group| (0..1_000).any(|_| at(peer, here, group) == Some(own));
        assert!(is_found(None));
        assert!(is_found(Some(group)));
        assert_eq!(at(peer, here, Some(group + 1)), None);
    }
}
