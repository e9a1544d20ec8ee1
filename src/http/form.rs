//! What a request carries as parameters: a form or a query, each name at most once.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

/// The largest form; none of ours comes near.
pub const LARGEST: usize = 64 * 1024;

/// The most parameters; none of ours comes near. Each is compared with all before it, so without a
/// bound one request could keep a core busy for long.
const MOST: usize = 200;

/// Parameters as they were sent, in order.
///
/// One that is sent without a value counts as left out, and none may come twice (RFC 6749 §3.1, §3.2).
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

/// Why parameters cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// The body is not a form.
    #[error("the request must be application/x-www-form-urlencoded")]
    ContentType,
    /// The body is larger than any form of ours.
    #[error("the request is too large")]
    TooLarge,
    /// The body ended too early.
    #[error("the request could not be read")]
    Unreadable,
    /// A parameter came twice.
    #[error("the parameter {0} may be given only once")]
    Repeated(String),
    /// A NUL character, which no text of ours may hold.
    #[error("the request has a character that is not allowed")]
    Nul,
}

impl FormError {
    /// The HTTP status for the reason.
    pub fn status(&self) -> StatusCode {
        match self {
            FormError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl Parameters {
    /// Reads `a=1&b=2` as a form or a query holds it.
    ///
    /// # Errors
    /// [`FormError::Repeated`], [`FormError::Nul`], and [`FormError::TooLarge`] for too many.
    pub fn parse(encoded: &[u8]) -> Result<Parameters, FormError> {
        let (parameters, problems) = Parameters::parse_first(encoded);
        problems.into_iter().next().map_or(Ok(parameters), Err)
    }

    /// Reads parameters of which some may come twice, keeping the first, for those who must know where
    /// to send the complaints.
    pub fn parse_first(encoded: &[u8]) -> (Parameters, Vec<FormError>) {
        let mut found: Vec<(String, String)> = Vec::new();
        let mut problems = Vec::new();
        for (name, value) in url::form_urlencoded::parse(encoded) {
            if found.len() + problems.len() >= MOST {
                problems.push(FormError::TooLarge);
                break;
            } else if name.contains('\0') || value.contains('\0') {
                problems.push(FormError::Nul);
            } else if found.iter().any(|(earlier, _)| *earlier == name) {
                problems.push(FormError::Repeated(printable(&name)));
            } else {
                found.push((name.into_owned(), value.into_owned()));
            }
        }
        (Parameters(found), problems)
    }

    /// The value of a parameter that was sent with one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Whether a parameter was sent at all, be it without a value.
    pub fn is_given(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Takes the value of a parameter out, for one that must not be copied about.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(place).1).filter(|value| !value.is_empty())
    }
}

/// A name for an error message: short, and without what terminals and logs would act on.
fn printable(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_graphic()).take(40).collect()
}

impl<S: Send + Sync> FromRequest<S> for Parameters {
    type Rejection = FormError;

    async fn from_request(request: Request, _: &S) -> Result<Parameters, FormError> {
        let (parts, body) = request.into_parts();
        Parameters::read(&parts.headers, body).await
    }
}

impl Parameters {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`FormError`].
    pub async fn read(headers: &HeaderMap, body: Body) -> Result<Parameters, FormError> {
        if !is_form(headers) {
            return Err(FormError::ContentType);
        }
        let body = axum::body::to_bytes(body, LARGEST).await.map_err(|error| {
            let text = error.to_string();
            if text.contains("length limit") { FormError::TooLarge } else { FormError::Unreadable }
        })?;
        Parameters::parse(&body)
    }
}

/// For handlers that let the rejection be the answer, which ours never do: each face words its own.
impl axum::response::IntoResponse for FormError {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Adds parameters to a URI that may have a query already, without touching what is there. Works on
/// the text, since URL libraries change private-use schemes.
pub fn with_query(uri: &str, parameters: &[(&str, Cow<'_, str>)]) -> String {
    let joint = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{}", encode(parameters))
}

/// Parameters in the form that a query, a fragment or a form has.
pub fn encode(parameters: &[(&str, Cow<'_, str>)]) -> String {
    let mut encoder = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        encoder.append_pair(name, value);
    }
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_may_come_once_and_an_empty_one_counts_as_left_out() {
        let parameters = Parameters::parse(b"a=1&b=&c=x+y%2B").unwrap();
        assert_eq!(
            (parameters.get("a"), parameters.get("b"), parameters.get("c")),
            (Some("1"), None, Some("x y+"))
        );
        assert_eq!(Parameters::parse(b"a=1&b=2&a=1").unwrap_err(), FormError::Repeated("a".to_owned()));
        assert_eq!(Parameters::parse(b"a=&a=").unwrap_err(), FormError::Repeated("a".to_owned()));
        assert_eq!(Parameters::parse(b"a=%00").unwrap_err(), FormError::Nul);
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        let many = |number: usize| (0..number).map(|at| format!("{at}=x")).collect::<Vec<_>>().join("&");
        assert!(Parameters::parse(many(MOST).as_bytes()).is_ok());
        assert_eq!(Parameters::parse(many(MOST + 1).as_bytes()).unwrap_err(), FormError::TooLarge);
    }

    #[test]
    fn a_query_is_added_to_any_uri_without_changing_it() {
        let add = |uri| with_query(uri, &[("code", "x y".into())]);
        assert_eq!(add("https://a.example/cb"), "https://a.example/cb?code=x+y");
        assert_eq!(add("https://a.example/cb?k=%7e"), "https://a.example/cb?k=%7e&code=x+y");
        assert_eq!(add("com.example:/cb?"), "com.example:/cb?code=x+y");
        assert_eq!(add("com.example:cb"), "com.example:cb?code=x+y");
    }
}
