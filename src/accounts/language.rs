//! The switch at the foot of every page, and the language in which a person gets mails.

use axum::extract::State;
use axum::response::Response;

use super::signed_in;
use super::users;
use crate::app::App;
use crate::http::error::{PageError, Problem};
use crate::http::form::{FormError, Parameters};
use crate::http::local::local;
use crate::http::visit::Visit;
use crate::languages::Language;

/// `POST /language`: has pages, and mails to the person who is signed in, be in another language, and leads back
/// to the page with the switch.
pub async fn post(State(app): State<App>, visit: Visit, form: Result<Parameters, FormError>) -> Response {
    visit.answer(choose(&app, &visit, form).await)
}

async fn choose(
    app: &App,
    visit: &Visit,
    form: Result<Parameters, FormError>,
) -> Result<Response, PageError> {
    let form = form?;
    visit.check_form(&form)?;
    let language = form.get("language").and_then(Language::of_tag).ok_or(Problem::BadRequest)?;
    if let Some(signed_in) = signed_in::find(app, visit).await? {
        let mut tx = app.store.begin().await?;
        users::set_language(&mut tx, signed_in.user.id, language).await?;
        tx.commit().await?;
    }
    let back = local(form.get("back")).unwrap_or_else(|| "/".to_owned());
    Ok(visit.choose_language(visit.go(&back), language))
}
