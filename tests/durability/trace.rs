//! What a program asked of the system, as `strace` wrote it down, and what of it had reached the disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The calls that a trace needs to hold.
pub const CALLS: &str =
    "trace=pwrite64,write,writev,ftruncate,fsync,fdatasync,unlink,sendto,sendmsg,recvfrom,read";
/// The form in which it must be written: every thread, files by name, all bytes in hexadecimal.
pub const FORM: [&str; 5] = ["-f", "-y", "-xx", "-s", "100000"];

/// A call that came back, at two points of the order in which everything happened.
#[derive(Clone, Debug)]
pub struct Event {
    pub begun: usize,
    pub ended: usize,
    /// The file, or what the system calls a socket.
    pub on: String,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Write { offset: usize, data: Vec<u8> },
    Truncate(usize),
    Sync,
    Remove,
    Send(Vec<u8>),
    Receive(Vec<u8>),
}

/// Reads a trace; what failed, and calls of no interest, are left out.
pub fn read(trace: &str) -> Vec<Event> {
    let mut unfinished: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let mut events = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(begin) = call.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread, (number, begin));
            continue;
        }
        let (begun, call) =
            match call.strip_prefix("<... ").and_then(|resumed| resumed.split_once(" resumed>")) {
                Some((_, end)) => match unfinished.remove(thread) {
                    Some((begun, begin)) => (begun, format!("{begin}{end}")),
                    None => continue,
                },
                None => (number, call.to_owned()),
            };
        if let Some((on, what)) = parse(&call) {
            events.push(Event { begun, ended: number, on, what });
        }
    }
    events
}

/// One call such as `pwrite64(13<\x2f\x61>, "\x00", 1, 4096) = 1`.
fn parse(call: &str) -> Option<(String, What)> {
    let (name, rest) = call.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let result: usize = result.split(' ').next()?.parse().ok()?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    if name == "unlink" {
        return Some((text(&quoted(arguments)), What::Remove));
    }
    let (on, arguments) = arguments.split_once('<')?.1.split_once('>')?;
    let on = text(&bytes(on));
    let is_socket = on.starts_with("socket:");
    let last = || arguments.rsplit(", ").next()?.trim().parse::<usize>().ok();
    let mut data = quoted(arguments);
    data.truncate(result);
    let what = match name {
        "pwrite64" => What::Write { offset: last()?, data },
        "ftruncate" => What::Truncate(last()?),
        "fsync" | "fdatasync" => What::Sync,
        "write" | "writev" | "sendto" | "sendmsg" if is_socket => What::Send(data),
        "read" | "recvfrom" if is_socket => What::Receive(data),
        _ => return None,
    };
    Some((on, what))
}

/// All that stands in quotes.
fn quoted(arguments: &str) -> Vec<u8> {
    arguments.split('"').skip(1).step_by(2).flat_map(bytes).collect()
}

/// `\x68\x69` as bytes.
fn bytes(hexadecimal: &str) -> Vec<u8> {
    hexadecimal.split("\\x").filter_map(|byte| u8::from_str_radix(byte.get(..2)?, 16).ok()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn contains(data: &[u8], text: &str) -> bool {
    data.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Files as a power cut would leave them: what was written since the last sync is dropped.
#[derive(Default)]
pub struct Disk {
    files: BTreeMap<String, File>,
}

#[derive(Default)]
struct File {
    /// What was written, and when the call came back.
    written: Vec<(usize, What)>,
    synced: Vec<u8>,
}

impl Disk {
    /// Takes in what happened next.
    pub fn apply(&mut self, event: &Event) {
        let file = self.files.entry(event.on.clone()).or_default();
        match &event.what {
            What::Write { .. } | What::Truncate(_) => file.written.push((event.ended, event.what.clone())),
            What::Sync => {
                // What was still being written when the sync began may have been left out.
                let written = std::mem::take(&mut file.written);
                let (before, after) = written.into_iter().partition(|(ended, _)| *ended < event.begun);
                file.written = after;
                Vec::into_iter(before).for_each(|(_, what)| file.keep(what));
            }
            What::Remove => *file = File::default(),
            What::Send(_) | What::Receive(_) => {}
        }
    }

    /// Writes the files with these names as they are on disk to another folder.
    pub fn leave(&self, files: &[&str], to: &Path) {
        for (path, file) in &self.files {
            let path = PathBuf::from(path);
            if let Some(name) =
                path.file_name().filter(|name| files.iter().any(|file| name.to_str() == Some(file)))
            {
                std::fs::write(to.join(name), &file.synced).expect("a file");
            }
        }
    }
}

impl File {
    fn keep(&mut self, what: What) {
        match what {
            What::Write { offset, data } => {
                let end = offset + data.len();
                self.synced.resize(self.synced.len().max(end), 0);
                self.synced[offset..end].copy_from_slice(&data);
            }
            What::Truncate(length) => self.synced.resize(length, 0),
            _ => {}
        }
    }
}
