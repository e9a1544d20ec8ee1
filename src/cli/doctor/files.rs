//! Who may read the data folder and the secrets in it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Check, fine, problem, sqlite_file, warning};
use crate::app;
use crate::config::Config;

/// Everybody but the owner.
const OTHERS: u32 = 0o077;

pub(super) fn look(config: &Config) -> Vec<Check> {
    let folder = &config.data.folder;
    let mode = match mode_of(folder) {
        Ok(Some(mode)) => mode,
        Ok(None) => {
            let found = format!("{} is not there yet", folder.display());
            return vec![warning("data folder", found, "the first start of the server creates it")];
        }
        Err(error) => {
            let found = format!("{}: {error}", folder.display());
            return vec![problem("data folder", found, "run this command as the user that runs the server")];
        }
    };
    let mut checks = vec![match mode & OTHERS {
        0 => fine("data folder", format!("{}, for its owner only", folder.display())),
        _ => problem(
            "data folder",
            format!("{} can be entered by others ({mode:04o})", folder.display()),
            format!("chmod 700 {}", folder.display()),
        ),
    }];
    let mut files = vec![folder.join("root_secret"), app::homeserver_secret_file(config)];
    files.extend(sqlite_file(config));
    let keys = fs::read_dir(folder.join("keys")).into_iter().flatten().flatten();
    files.extend(keys.map(|entry| entry.path()));
    let open = files
        .iter()
        .filter_map(|file| Some((file, mode_of(file).ok()??)))
        .find(|(_, mode)| mode & OTHERS != 0);
    checks.push(match open {
        None => fine("secret files", "for their owner only"),
        Some((file, mode)) => problem(
            "secret files",
            format!("{} can be read by others ({mode:04o})", file.display()),
            format!("chmod 600 {}, and think about who has read it", file.display()),
        ),
    });
    checks
}

/// The permission bits of a file; `None` when it is not there.
fn mode_of(path: &Path) -> io::Result<Option<u32>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found.permissions().mode() & 0o777)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
