//! A certificate chain with its key, read again when the files change.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use aws_lc_rs::digest::{Context, SHA256};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;
use tracing::{error, info};
use zeroize::Zeroizing;

use super::TlsFiles;

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file is missing, or this process may not read it.
    #[error("cannot read {}: {cause}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The certificate file holds no certificate.
    #[error(
        "{} holds no certificate that can be read; it must hold the whole chain in PEM form, \
         the server's own certificate first", file.display()
    )]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// The key file holds no private key.
    #[error("{} holds no private key that can be read; it must hold one in PEM form, without a password", file.display())]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// Certificate and key were read, but not accepted; commonly they do not belong together.
    #[error(
        "the certificate in {} and the key in {} cannot be used: {cause}; \
         check that both come from the same renewal", certificate_file.display(), key_file.display()
    )]
    Rejected {
        /// The certificate file.
        certificate_file: PathBuf,
        /// The key file.
        key_file: PathBuf,
        /// What the TLS library said.
        cause: rustls::Error,
    },
}

/// The certificate that new handshakes get.
pub(super) struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
    /// Digest of the files as last seen, usable or not, so that each broken state is reported once.
    last_seen: Mutex<Option<Vec<u8>>>,
}

impl Certificate {
    pub(super) fn load(files: &TlsFiles) -> Result<Self, CertificateError> {
        let contents = Contents::read(files)?;
        Ok(Self {
            files: files.clone(),
            current: RwLock::new(Arc::new(contents.certified_key(files)?)),
            last_seen: Mutex::new(Some(contents.digest())),
        })
    }

    /// Takes up changed files. Whatever is wrong with them, the certificate in use stays.
    pub(super) fn refresh(&self) {
        let read = Contents::read(&self.files);
        let seen = read.as_ref().ok().map(Contents::digest);
        let mut last_seen = self.last_seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *last_seen == seen {
            return;
        }
        *last_seen = seen;
        match read.and_then(|contents| contents.certified_key(&self.files)) {
            Ok(new) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                info!(file = %self.files.certificate_file.display(), "now using the new certificate");
            }
            Err(error) => error!(
                %error,
                "kept the old certificate, since the new one cannot be used; \
                 put it right, and it will be taken up within seconds"
            ),
        }
    }

    /// TLS 1.2 and 1.3, offering HTTP/2 before HTTP/1.1 (RFC 7301).
    pub(super) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Certificate").field(&self.files).finish()
    }
}

/// Both files as they are on disk.
struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, CertificateError> {
        let read = |file: &Path| {
            fs::read(file).map_err(|cause| CertificateError::Unreadable { file: file.to_owned(), cause })
        };
        Ok(Self { certificate: read(&files.certificate_file)?, key: Zeroizing::new(read(&files.key_file)?) })
    }

    fn digest(&self) -> Vec<u8> {
        let mut context = Context::new(&SHA256);
        context.update(&self.certificate.len().to_be_bytes());
        context.update(&self.certificate);
        context.update(&self.key);
        context.finish().as_ref().to_vec()
    }

    fn certified_key(&self, files: &TlsFiles) -> Result<CertifiedKey, CertificateError> {
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&self.certificate).collect::<Result<_, _>>().unwrap_or_default();
        if chain.is_empty() {
            let file = files.certificate_file.clone();
            return Err(CertificateError::NoCertificate { file });
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| CertificateError::NoKey { file: files.key_file.clone() })?;
        CertifiedKey::from_der(chain, key, &default_provider()).map_err(|cause| CertificateError::Rejected {
            certificate_file: files.certificate_file.clone(),
            key_file: files.key_file.clone(),
            cause,
        })
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn write(files: &TlsFiles) -> Vec<u8> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&files.key_file, made.signing_key.serialize_pem()).unwrap();
        fs::write(&files.certificate_file, made.cert.pem()).unwrap();
        made.cert.der().to_vec()
    }

    fn shown(certificate: &Certificate) -> Vec<u8> {
        certificate.current.read().unwrap().cert[0].to_vec()
    }

    #[test]
    fn a_broken_file_keeps_the_old_certificate_until_it_is_put_right() {
        let folder = TempDir::new().unwrap();
        let files = TlsFiles {
            certificate_file: folder.path().join("chain.pem"),
            key_file: folder.path().join("key.pem"),
        };
        let first = write(&files);
        let certificate = Certificate::load(&files).unwrap();
        let first_key = fs::read(&files.key_file).unwrap();

        let second = write(&files);
        let second_key = fs::read(&files.key_file).unwrap();
        fs::write(&files.key_file, &first_key).unwrap();
        certificate.refresh();
        assert_eq!(shown(&certificate), first, "the key is not the new certificate's");
        fs::write(&files.key_file, "half a ke").unwrap();
        certificate.refresh();
        assert_eq!(shown(&certificate), first, "the key is cut short");
        fs::remove_file(&files.key_file).unwrap();
        certificate.refresh();
        assert_eq!(shown(&certificate), first, "the key is gone");

        fs::write(&files.key_file, second_key).unwrap();
        certificate.refresh();
        assert_eq!(shown(&certificate), second);
    }
}
