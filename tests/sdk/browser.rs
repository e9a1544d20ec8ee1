//! The part of a sign-in that happens in a browser: pages of Gatehouse as forms over HTTP.

use std::collections::BTreeMap;

use reqwest::header::{LOCATION, ORIGIN};
use reqwest::{RequestBuilder, StatusCode};
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::world::{PASSWORD, World};

/// A browser that keeps cookies, and the person in front of it.
pub struct Browser<'w> {
    http: reqwest::Client,
    gatehouse: &'w Url,
    person: String,
}

/// Where a browser has come to.
pub enum Place {
    /// A page of Gatehouse.
    Page(Page),
    /// Somewhere else: nobody there is asked anything.
    Elsewhere(Url),
}

/// A page that is open.
pub struct Page {
    url: Url,
    status: StatusCode,
    html: String,
}

impl Page {
    /// Whether it is what was asked for, and no complaint.
    pub fn is_fine(&self) -> bool {
        self.status.is_success()
    }

    /// All text of the page, with its spaces folded.
    pub fn text(&self) -> String {
        let page = Html::parse_document(&self.html);
        let main = page.select(&selector("main")).next().unwrap_or(page.root_element());
        main.text().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    /// The fields of the form that holds what a selector finds, and where it leads.
    fn form(&self, holds: &str) -> Option<(Url, BTreeMap<String, String>)> {
        let page = Html::parse_document(&self.html);
        let form =
            page.select(&selector("form")).find(|form| form.select(&selector(holds)).next().is_some())?;
        let field = |input: ElementRef<'_>| {
            let text = |name| input.attr(name).unwrap_or_default().to_owned();
            (!text("name").is_empty()).then(|| (text("name"), text("value")))
        };
        let fields = form.select(&selector("input")).filter_map(field).collect();
        Some((self.url.join(form.attr("action").unwrap_or_default()).expect("a URL"), fields))
    }
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).expect("a selector")
}

impl<'w> Browser<'w> {
    /// A browser that was never here, in front of a person of that name.
    pub fn new(world: &'w World, person: &str) -> Browser<'w> {
        Browser { http: world.http(), gatehouse: &world.gatehouse, person: person.to_owned() }
    }

    /// Opens a URL and follows where it leads, signing the person in where that is asked.
    pub async fn open(&self, url: &Url) -> Place {
        let mut place = self.follow(self.http.get(url.clone()), url, "none").await;
        while let Place::Page(page) = &place
            && let Some((action, mut fields)) = page.form("input[type=password]")
        {
            fields.insert("username".to_owned(), self.person.clone());
            fields.insert("password".to_owned(), PASSWORD.to_owned());
            place = self.submit(action, &fields).await;
        }
        place
    }

    /// Opens a page of Gatehouse.
    pub async fn page(&self, url: &Url) -> Page {
        match self.open(url).await {
            Place::Page(page) => {
                assert!(page.is_fine(), "{}: {} {}", page.url, page.status, page.text());
                page
            }
            Place::Elsewhere(url) => panic!("led to {url}"),
        }
    }

    /// Opens a question of Gatehouse and answers it by the button with that value; where that leads.
    pub async fn answer(&self, url: &Url, answer: &str) -> Place {
        let page = self.page(url).await;
        let form = page.form(&format!("button[name=answer][value={answer}]"));
        let (action, mut fields) =
            form.unwrap_or_else(|| panic!("no {answer} on {}: {}", page.url, page.text()));
        fields.insert("answer".to_owned(), answer.to_owned());
        self.submit(action, &fields).await
    }

    async fn submit(&self, action: Url, fields: &BTreeMap<String, String>) -> Place {
        let origin = self.gatehouse.origin().ascii_serialization();
        let request = self.http.post(action.clone()).header(ORIGIN, origin).form(fields);
        self.follow(request, &action, "same-origin").await
    }

    /// `site`: where the first request comes from, in the words of Fetch Metadata.
    async fn follow(&self, request: RequestBuilder, url: &Url, site: &str) -> Place {
        let mut url = url.clone();
        let mut answer = request.header("sec-fetch-site", site).send().await.expect("an answer");
        while let Some(location) = answer.headers().get(LOCATION) {
            url = url.join(location.to_str().expect("text")).expect("a URL");
            if url.origin() != self.gatehouse.origin() {
                return Place::Elsewhere(url);
            }
            answer =
                self.http.get(url.clone()).header("sec-fetch-site", site).send().await.expect("an answer");
        }
        let status = answer.status();
        Place::Page(Page { url, status, html: answer.text().await.expect("a page") })
    }
}
