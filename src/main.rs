//! The program: reads the command line and calls the library.

use std::process::ExitCode;

/// Many threads make and drop many small things here; this allocator does that faster, and returns
/// memory to the system.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gatehouse::cli::run()
}
