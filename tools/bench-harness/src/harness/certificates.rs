//! A certificate authority that lives as long as one bench, and the files by which an instance learns to trust it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// Where Debian, Ubuntu and Alpine, and Amazon Linux and Fedora keep the roots of the system.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// Both ends of TLS.
pub(crate) struct Certificates {
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) client: Arc<ClientConfig>,
    /// The authority alone, PEM: for `AWS_CA_BUNDLE` and `NODE_EXTRA_CA_CERTS`.
    pub(crate) authority: PathBuf,
    /// The authority and the system's roots, PEM: for `SSL_CERT_FILE`, so that reading roots takes as long as it does on AWS.
    pub(crate) roots: PathBuf,
}

/// Makes them, and writes the files into `dir`.
pub(crate) fn make(dir: &Path) -> Result<Certificates> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    // A name unlike the leaf's: OpenSSL takes a certificate whose issuer has its own name for a self-signed one.
    params.distinguished_name.push(DnType::CommonName, "authority of a bench");
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let leaf = CertificateParams::new(names)?.signed_by(&key, &issuer)?;

    let (authority, roots) = (dir.join("authority.pem"), dir.join("roots.pem"));
    let own = issuer.pem();
    let system = SYSTEM_ROOTS.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    fs::write(&authority, &own).with_context(|| format!("cannot write {}", authority.display()))?;
    fs::write(&roots, format!("{system}\n{own}")).with_context(|| format!("cannot write {}", roots.display()))?;

    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone()];
    let mut server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // DynamoDB speaks nothing newer.
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut trusted = RootCertStore::empty();
    trusted.add(issuer.der().clone())?;
    let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(Certificates { server: Arc::new(server), client: Arc::new(client), authority, roots })
}
