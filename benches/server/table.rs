//! The figures, put together and printed as Markdown.

use std::time::Duration;

use crate::load::Done;
use crate::subject::Engine;

/// What was spent on so many operations.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub server: Duration,
    pub database: Duration,
    pub operations: usize,
}

/// What an operation may cost.
#[derive(Clone, Copy)]
pub enum Target {
    /// So many times the processor time of its twin, both with their database.
    Ratio(f64),
    /// No more than its twin with one indexed read, both with their database.
    OneRead,
    /// Server and database together.
    Milliseconds(f64),
}

impl Cost {
    /// Of one operation, server and database together, in µs.
    fn micros(&self) -> f64 {
        micros(self.server + self.database, self)
    }
}

/// One operation.
pub struct Row {
    name: &'static str,
    target: Target,
    cost: Cost,
    twin: Cost,
    latencies: Vec<Duration>,
    /// The ratio in each turn.
    ratios: Vec<f64>,
    last: Cost,
}

impl Row {
    /// Begins a row, and says so on standard error: the tables come at the end.
    pub fn new(name: &'static str, target: Target) -> Row {
        eprintln!("measuring: {name}");
        let (cost, twin, last) = Default::default();
        Row { name, target, cost, twin, latencies: Vec::new(), ratios: Vec::new(), last }
    }

    pub fn add(&mut self, cost: Cost, done: Done) {
        self.cost.server += cost.server;
        self.cost.database += cost.database;
        self.cost.operations += cost.operations;
        self.latencies.extend(done.latencies);
        self.last = cost;
    }

    /// The twin's turn after that of the operation.
    pub fn add_twin(&mut self, twin: Cost) {
        self.twin.server += twin.server;
        self.twin.database += twin.database;
        self.twin.operations += twin.operations;
        self.ratios.push(self.last.micros() / twin.micros());
    }

    fn print(mut self) {
        let (server, database) =
            (micros(self.cost.server, &self.cost), micros(self.cost.database, &self.cost));
        let ratio = self.cost.micros() / self.twin.micros();
        let twin = match self.twin.database {
            Duration::ZERO => format!("{:.1}", self.twin.micros()),
            database => {
                let server = micros(self.twin.server, &self.twin);
                format!("{server:.1} + {:.1}", micros(database, &self.twin))
            }
        };
        self.ratios.sort_by(f64::total_cmp);
        let (lowest, highest) = (self.ratios[0], self.ratios[self.ratios.len() - 1]);
        let spread = format!("{ratio:.2} ({lowest:.2}-{highest:.2})");
        let (target, is_reached) = match self.target {
            Target::Ratio(most) => (format!("{most} x"), ratio <= most),
            Target::OneRead => ("one read".to_owned(), ratio <= 1.0),
            Target::Milliseconds(most) => (format!("{most} ms"), server + database <= most * 1000.0),
        };
        self.latencies.sort();
        let at =
            |share: f64| self.latencies[(self.latencies.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        println!(
            "| {} | {server:.1} | {database:.1} | {twin} | {spread} | {target} | {} | {:.2} | {:.2} |",
            self.name,
            yes_or_no(is_reached),
            at(0.5),
            at(0.99),
        );
    }
}

fn micros(time: Duration, cost: &Cost) -> f64 {
    time.as_secs_f64() * 1e6 / cost.operations.max(1) as f64
}

fn yes_or_no(is_reached: bool) -> &'static str {
    if is_reached { "yes" } else { "NO" }
}

/// The machine and the twins' code.
pub fn print_head(bare: &str) {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("{cores} cores{model}, Linux {}", kernel.trim());
    println!("\nThe twins:\n\n```rust\n{}```", bare);
}

/// Everything about one engine.
pub fn print(engine: Engine, rows: Vec<Row>, ready: &[Duration], memory: [f64; 3]) {
    println!("\n## {engine:?}\n");
    println!("Processor time per operation in µs; latencies in ms.\n");
    println!(
        "| operation | server | database | twin | ratio (lowest-highest turn) | at most | reached | p50 | p99 |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        row.print();
    }
    println!("\n| resident memory, MiB | measured | at most | reached |\n|---|---|---|---|");
    let names = [("idle", 40.0), ("with 32 sign-ins at once", 150.0), ("a minute later", 60.0)];
    for ((name, most), measured) in names.into_iter().zip(memory) {
        println!("| {name} | {measured:.1} | {most} | {} |", yes_or_no(measured <= most));
    }
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let (median, most) = (millis(ready[ready.len() / 2]), 150.0);
    println!(
        "\n| ready after start, ms | median of {} | at most | reached |\n|---|---|---|---|",
        ready.len()
    );
    println!("| | {median:.0} | {most} | {} |", yes_or_no(median <= most));
}
