//! Where the programs are that `scripts/test` installs.
//!
//! A missing one fails the test that needs it, and the message says how to install it.

use std::path::PathBuf;

/// The versions that `scripts/test` installs into the cache: the same file that it reads itself.
const VERSIONS: &str = include_str!("../../scripts/test-versions");

/// The folder with PostgreSQL's server programs: of the newest version, when there are several.
pub fn postgres_programs() -> PathBuf {
    let majors = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    majors
        .filter_map(|major| {
            Some((major.file_name().to_str()?.parse::<u32>().ok()?, major.path().join("bin")))
        })
        .filter(|(_, programs)| programs.join("postgres").exists())
        .max()
        .map(|(_, programs)| programs)
        .unwrap_or_else(|| missing("PostgreSQL's server programs (/usr/lib/postgresql/*/bin)"))
}

/// The Python that has Synapse.
pub fn synapse_python() -> PathBuf {
    in_cache(&format!("synapse-{}", version("synapse")), "bin/python")
}

/// The source of axe-core.
pub fn axe_core() -> PathBuf {
    in_cache(&format!("axe-core-{}", version("axe_core")), "node_modules/axe-core/axe.min.js")
}

/// The client library of relying parties, for Node.
pub fn openid_client() -> PathBuf {
    let package = format!("openid-client-{}", version("openid_client"));
    in_cache(&package, "node_modules/openid-client/build/index.js")
}

/// A program on the path.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| missing(name))
}

fn in_cache(package: &str, file: &str) -> PathBuf {
    let package = cache().join(package);
    let file = package.join(file);
    if package.join("installed").exists() && file.exists() {
        file
    } else {
        missing(&file.display().to_string())
    }
}

fn cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("GATEHOUSE_TEST_CACHE").unwrap_or_else(|| {
        let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
        caches.unwrap_or_else(|| missing("the environment variable HOME")).join("gatehouse-tests")
    })
}

fn version(of: &str) -> &'static str {
    let line = VERSIONS.lines().filter_map(|line| line.split_once('=')).find(|(name, _)| *name == of);
    line.expect("scripts/test-versions names every package").1
}

fn missing(what: &str) -> ! {
    panic!("{what} is missing; install what the tests need with: scripts/test --install-only")
}
