//! Unix sockets as files: made, replaced when left behind, removed.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::{
        fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    process,
};

/// The file of a socket we listen on; dropping this removes it, unless somebody replaced it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "could not remove the socket");
        }
    }
}

/// Listens on `path` with these permission bits.
///
/// The socket is made in a folder that only we may enter and moved to its place once its
/// permissions are set: nobody can connect in between, whatever the umask.
///
/// # Errors
/// `AddrInUse` when somebody answers there, `AlreadyExists` when the file is not a socket.
pub(super) fn bind_socket_file(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    refuse_if_taken(path)?;
    let folder = path.parent().unwrap_or(Path::new("")).join(format!(".new-{}", process::id()));
    let made = folder.join("s");
    clear(&folder, &made);
    DirBuilder::new().mode(0o700).create(&folder)?;
    let bound = bind_and_move(&made, path, mode);
    clear(&folder, &made);
    bound
}

fn bind_and_move(made: &Path, path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    let listener = UnixListener::bind(made)?;
    listener.set_nonblocking(true)?;
    fs::set_permissions(made, Permissions::from_mode(mode))?;
    let metadata = fs::symlink_metadata(made)?;
    fs::rename(made, path)?;
    let file = SocketFile { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() };
    Ok((listener, file))
}

/// Removes the folder and what an interrupted start may have left in it. It is normal that
/// neither exists; a real problem shows when the folder is made.
fn clear(folder: &Path, made: &Path) {
    let _ = fs::remove_file(made);
    let _ = fs::remove_dir(folder);
}

fn refuse_if_taken(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.file_type().is_socket() => {
            let message = "a file that is not a socket is in its place";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::from(io::ErrorKind::AddrInUse)),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error),
    }
}
