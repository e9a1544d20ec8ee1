//! Opening listeners, and what can be wrong with them.

use std::{
    fmt, io,
    net::{self, SocketAddr},
    os::unix,
    path::PathBuf,
    sync::Arc,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinError,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Peer,
    certificate::{Certificate, CertificateError},
    socket_file::{SocketFile, bind_socket_file},
};

/// Where one listener listens, and with which certificate.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// The address.
    pub address: ListenAddress,
    /// Certificate and key; without them the listener speaks plain text.
    pub tls: Option<TlsFiles>,
}

/// The address of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// An IP address and port; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix {
        /// Its path. A socket left behind by a program that is gone is replaced.
        path: PathBuf,
        /// Its permission bits, like `0o660`.
        mode: u32,
    },
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix { path, .. } => path.display().fmt(formatter),
        }
    }
}

/// Files with a certificate chain and its private key, both in PEM form.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate_file: PathBuf,
    /// The private key.
    pub key_file: PathBuf,
}

/// Why listening failed. The settings named are those of the configuration file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {cause}; {advice} (http.listeners[{index}])")]
    Address {
        /// The address.
        address: ListenAddress,
        /// Which listener of the configuration, from 0.
        index: usize,
        /// What the system said.
        cause: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// A certificate or its key cannot be used.
    #[error("{cause} (http.listeners[{index}].tls)")]
    Certificate {
        /// Which listener of the configuration, from 0.
        index: usize,
        /// What is wrong.
        cause: CertificateError,
    },
    /// The runtime refused a listener, a signal handler or a TLS configuration.
    #[error("cannot start the listeners: {0}")]
    Start(io::Error),
    /// The task of a listener ended by itself, which is a mistake in this program.
    #[error("a listener ended unexpectedly: {0}")]
    Ended(JoinError),
}

/// An open listener that accepts nothing yet. Dropping it closes it and removes its socket file.
#[derive(Debug)]
pub struct Bound {
    address: ListenAddress,
    socket: Socket,
    certificate: Option<Arc<Certificate>>,
}

#[derive(Debug)]
enum Socket {
    Tcp(net::TcpListener),
    Unix(unix::net::UnixListener, SocketFile),
}

/// Opens all listeners; the first that cannot be opened closes the others again.
///
/// # Errors
/// `Address` and `Certificate`, naming the setting to change.
pub fn bind(configs: &[ListenerConfig]) -> Result<Vec<Bound>, Error> {
    let numbered = configs.iter().enumerate();
    numbered.map(|(index, config)| Bound::open(index, config)).collect()
}

impl Bound {
    fn open(index: usize, config: &ListenerConfig) -> Result<Self, Error> {
        let certificate = match &config.tls {
            None => None,
            Some(files) => match Certificate::load(files) {
                Ok(certificate) => Some(Arc::new(certificate)),
                Err(cause) => return Err(Error::Certificate { index, cause }),
            },
        };
        let opened = match &config.address {
            ListenAddress::Tcp(address) => bind_tcp(*address),
            ListenAddress::Unix { path, mode } => bind_socket_file(path, *mode)
                .map(|(listener, file)| (Socket::Unix(listener, file), config.address.clone())),
        };
        let (socket, address) = opened.map_err(|cause| Error::Address {
            address: config.address.clone(),
            index,
            advice: advice(&config.address, cause.kind()),
            cause,
        })?;
        Ok(Self { address, socket, certificate })
    }

    /// Where it listens; for port 0, with the port that the system chose.
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// Hands the listener to the runtime.
    pub(super) fn start(self) -> Result<Listener, Error> {
        let accepting = match self.socket {
            Socket::Tcp(listener) => tokio::net::TcpListener::from_std(listener).map(Accepting::Tcp),
            Socket::Unix(listener, file) => {
                tokio::net::UnixListener::from_std(listener).map(|listener| Accepting::Unix(listener, file))
            }
        };
        let tls = self.certificate.as_ref().map(Certificate::acceptor).transpose();
        Ok(Listener {
            address: self.address,
            accepting: accepting.map_err(Error::Start)?,
            tls: tls.map_err(|error| Error::Start(io::Error::other(error)))?,
            certificate: self.certificate,
        })
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<(Socket, ListenAddress)> {
    let listener = net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = ListenAddress::Tcp(listener.local_addr()?);
    Ok((Socket::Tcp(listener), address))
}

fn advice(address: &ListenAddress, kind: io::ErrorKind) -> &'static str {
    use io::ErrorKind::{
        AddrInUse, AddrNotAvailable, AlreadyExists, InvalidInput, NotFound, PermissionDenied,
    };
    match (address, kind) {
        (_, AddrInUse) => "stop the program that listens there, or choose another address",
        (_, AddrNotAvailable) => "choose an address that this machine has, or 0.0.0.0 or [::] for all",
        (ListenAddress::Tcp(_), PermissionDenied) => {
            "choose a port above 1023, or give this program the capability CAP_NET_BIND_SERVICE"
        }
        (ListenAddress::Unix { .. }, PermissionDenied) => {
            "let the user that runs this program write to the folder"
        }
        (ListenAddress::Unix { .. }, NotFound) => "create the folder first",
        (ListenAddress::Unix { .. }, AlreadyExists) => "move that file away, or choose another path",
        (ListenAddress::Unix { .. }, InvalidInput) => "choose a path below 90 bytes",
        _ => "choose another address",
    }
}

/// What flows over a connection, whatever carries it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A listener of the runtime.
pub(super) struct Listener {
    address: ListenAddress,
    accepting: Accepting,
    tls: Option<TlsAcceptor>,
    certificate: Option<Arc<Certificate>>,
}

enum Accepting {
    Tcp(tokio::net::TcpListener),
    /// The file goes when the listener goes.
    Unix(tokio::net::UnixListener, #[expect(dead_code, reason = "held for its drop")] SocketFile),
}

impl Listener {
    pub(super) fn address(&self) -> &ListenAddress {
        &self.address
    }

    pub(super) fn tls(&self) -> Option<TlsAcceptor> {
        self.tls.clone()
    }

    pub(super) fn certificate(&self) -> Option<Arc<Certificate>> {
        self.certificate.clone()
    }

    pub(super) async fn accept(&self) -> io::Result<(Box<dyn Stream>, Peer)> {
        match &self.accepting {
            Accepting::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Answers are written whole; waiting for more to send would only delay them. Where
                // this fails, the connection is slower or already dead, and either shows later.
                let _ = stream.set_nodelay(true);
                Ok((Box::new(stream), Peer(Some(peer.ip().to_canonical()))))
            }
            Accepting::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::new(stream), Peer(None)))
            }
        }
    }
}
