//! What processes have cost so far, as the kernel counts it.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// Of the processor.
pub fn cpu(pid: u32) -> Duration {
    stat(pid).map_or(Duration::ZERO, |stat| stat.own)
}

/// Of the processor, with all processes below it: those that run and those that have ended.
pub fn cpu_of_tree(pid: u32) -> Duration {
    let children = fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((pid, stat(pid)?))
    });
    let of_children: Duration =
        children.filter(|(_, stat)| stat.parent == pid).map(|(child, _)| cpu_of_tree(child)).sum();
    stat(pid).map_or(Duration::ZERO, |stat| stat.own + stat.of_ended_children) + of_children
}

/// Of all processes that this one started and that have ended.
pub fn of_ended_children() -> Duration {
    stat(std::process::id()).expect("this process").of_ended_children
}

/// Memory in RAM, in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib / 1024.0
}

/// The process of the PostgreSQL whose data is in this folder.
pub fn postmaster(data: &Path) -> u32 {
    let file = fs::read_to_string(data.join("postmaster.pid")).expect("PostgreSQL runs");
    file.lines().next().and_then(|line| line.trim().parse().ok()).expect("a process id")
}

struct Stat {
    parent: u32,
    own: Duration,
    of_ended_children: Duration,
}

/// Reads `/proc/PID/stat` (proc_pid_stat(5)); its unit, the clock tick, is 10 ms everywhere.
fn stat(pid: u32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold spaces; it ends with the last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let ticks = |one: usize, other: usize| Some(Duration::from_millis((number(one)? + number(other)?) * 10));
    Some(Stat {
        parent: u32::try_from(number(4)?).ok()?,
        own: ticks(14, 15)?,
        of_ended_children: ticks(16, 17)?,
    })
}
