//! The `outbound` section.

use std::path::PathBuf;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::schema;

/// Calls to addresses that clients name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Outbound {
    /// A PEM file with certificates of authorities that are trusted besides those of the system,
    /// for clients whose certificates come from an authority of your own. It is read at the start.
    #[schemars(extend("format" = "path"), example = "/etc/gatehouse/own-ca.pem")]
    pub ca_file: Option<PathBuf>,
    /// Networks that are not public and may be called nevertheless. Anybody who may register a
    /// client can then have Gatehouse call every address in them: name the few addresses that are
    /// needed, not whole networks. To a loopback address in the list, such as `127.0.0.1/32`, http
    /// is allowed too.
    #[schemars(schema_with = "networks", extend("default" = []), example = ["10.0.5.7/32", "fd00:5::7/128"])]
    pub allowed_networks: Vec<IpNet>,
}

fn networks(_: &mut SchemaGenerator) -> Schema {
    schema::list_of("ip-network")
}
