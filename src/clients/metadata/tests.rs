use serde_json::json;

use super::*;

fn read(given: Value) -> Result<ClientMetadata, InvalidMetadata> {
    ClientMetadata::from_registration(given.as_object().unwrap())
}

fn sdk() -> Value {
    json!({
        "application_type": "native",
        "client_name": "Element X",
        "client_uri": "https://element.io/",
        "logo_uri": "https://element.io/logo.png",
        "policy_uri": "https://element.io/privacy",
        "tos_uri": "https://element.io/terms",
        "redirect_uris": ["io.element:/callback"],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_method": "none",
    })
}

fn with(key: &str, value: Value) -> Value {
    let mut metadata = sdk();
    metadata[key] = value;
    metadata
}

#[test]
fn the_registrations_of_real_clients_are_accepted() {
    let metadata = read(sdk()).unwrap();
    assert_eq!(
        metadata.grant_types,
        [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode]
    );
    assert_eq!(metadata.token_endpoint_auth_method, TokenEndpointAuthMethod::None);
    assert!(read(with("contacts", json!(["mailto:x@element.io"]))).is_ok());
    assert!(read(with("id_token_signed_response_alg", json!("RS256"))).is_ok());
    assert!(read(with("anything", json!({ "deep": [] }))).is_ok());
}

#[test]
fn the_home_page_is_required_and_names_a_host_of_its_own() {
    for bad in [
        Value::Null,
        json!("http://element.io/"),
        json!("https://u:p@element.io/"),
        json!("https://co.uk/"),
        json!(7),
        json!("element.io"),
    ] {
        assert!(matches!(read(with("client_uri", bad.clone())), Err(InvalidMetadata::Metadata(_))), "{bad}");
    }
}

#[test]
fn all_uris_share_the_host_of_the_home_page() {
    for key in ["logo_uri", "tos_uri", "policy_uri", "tos_uri#fr"] {
        assert!(read(with(key, json!("https://app.element.io/x"))).is_ok(), "{key}");
        for bad in ["https://evil.org/x", "http://element.io/x", "https://evilelement.io/x", "https://io/"] {
            assert!(matches!(read(with(key, json!(bad))), Err(InvalidMetadata::Metadata(_))), "{key} {bad}");
        }
    }
}

#[test]
fn the_server_is_sent_only_to_the_clients_own_host_to_tell_it_of_a_sign_out() {
    let read = |uri: &str| read(with("backchannel_logout_uri", json!(uri)));
    let uri = "https://app.element.io:8443/out?tenant=1";
    assert_eq!(read(uri).unwrap().backchannel_logout_uri.unwrap().as_str(), uri);
    for bad in [
        "https://evil.org/out",
        "https://element.io/out#fragment",
        "https://element.io/out#",
        "https://user@element.io/out",
        "http://element.io/out",
        "http://127.0.0.1/out",
        "io.element:/out",
        "/out",
    ] {
        assert!(matches!(read(bad), Err(InvalidMetadata::Metadata(_))), "{bad}");
    }
}

#[test]
fn grants_that_are_not_known_are_dropped_and_the_rest_has_defaults() {
    let metadata = read(with("grant_types", json!(["authorization_code", "urn:token-exchange"]))).unwrap();
    assert_eq!(metadata.grant_types, [GrantType::AuthorizationCode]);
    let mut bare = sdk();
    for key in ["grant_types", "response_types", "application_type", "token_endpoint_auth_method"] {
        bare.as_object_mut().unwrap().remove(key);
    }
    bare["redirect_uris"] = json!(["https://element.io/cb"]);
    let metadata = read(bare).unwrap();
    assert_eq!(metadata.response_types, ["code"]);
    assert_eq!(metadata.token_endpoint_auth_method, TokenEndpointAuthMethod::ClientSecretBasic);
    assert_eq!(metadata.application_type, ApplicationType::Web);
}

#[test]
fn the_code_grant_needs_a_redirect_and_others_do_not() {
    assert!(matches!(read(with("redirect_uris", json!([]))), Err(InvalidMetadata::RedirectUri(_))));
    assert!(matches!(
        read(with("redirect_uris", json!(["io.element:/#x"]))),
        Err(InvalidMetadata::RedirectUri(_))
    ));
    let mut device_only = with("grant_types", json!(["urn:ietf:params:oauth:grant-type:device_code"]));
    device_only.as_object_mut().unwrap().remove("redirect_uris");
    device_only.as_object_mut().unwrap().remove("response_types");
    assert!(read(device_only).unwrap().response_types.is_empty());
}

#[test]
fn names_are_bounded_and_come_in_languages() {
    assert!(read(with("client_name", json!("x".repeat(257)))).is_err());
    assert!(read(with("client_name", json!("a\u{7}"))).is_err());
    assert!(read(with("client_name#not a tag", json!("x"))).unwrap().localized.is_empty());
    let metadata = read(with("client_name#fr", json!("Élément"))).unwrap();
    assert_eq!(metadata.localized("client_name", &["de".to_owned(), "FR".to_owned()]), Some("Élément"));
}

#[test]
fn only_known_values_decide() {
    for (key, bad) in [
        ("application_type", json!("desktop")),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("id_token_signed_response_alg", json!("none")),
        ("redirect_uris", json!("io.element:/callback")),
        ("grant_types", json!([1])),
        ("backchannel_logout_session_required", json!("yes")),
    ] {
        assert!(matches!(read(with(key, bad)), Err(InvalidMetadata::Metadata(_))), "{key}");
    }
}

#[test]
fn the_same_metadata_has_one_canonical_form_and_no_client_can_say_it_is_trusted() {
    let one = read(sdk()).unwrap();
    let mut members: Vec<(String, Value)> = sdk().as_object().unwrap().clone().into_iter().collect();
    members.reverse();
    let other = ClientMetadata::from_registration(&members.into_iter().collect()).unwrap();
    assert_eq!(one.canonical(), other.canonical());
    assert!(!read(with("gatehouse_trusted", json!(true))).unwrap().is_trusted);
    let stored: ClientMetadata = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
    assert_eq!(stored, one);
}
