//! A page of ours as a reader sees it.

use scraper::{ElementRef, Html, Selector};

use super::server::Answer;

/// A page, parsed.
pub struct Page(Html);

impl Page {
    /// The page of an answer.
    pub fn of(answer: &Answer) -> Page {
        Page(Html::parse_document(&answer.text()))
    }

    /// The text of every element that a selector finds, with its spaces folded.
    pub fn texts(&self, css: &str) -> Vec<String> {
        let fold = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.select(css).into_iter().map(|element| fold(element.text().collect())).collect()
    }

    /// All text of the main part.
    pub fn main(&self) -> String {
        self.texts("main").concat()
    }

    /// Where every link that a selector finds leads.
    pub fn links(&self, css: &str) -> Vec<String> {
        let links = self.select(css).into_iter().filter_map(|element| element.attr("href"));
        links.map(str::to_owned).collect()
    }

    /// An attribute of the one element that a selector finds; empty when it is not there.
    pub fn attribute(&self, css: &str, name: &str) -> String {
        let found = self.select(css);
        assert!(found.len() == 1, "{css} is there {} times", found.len());
        found[0].attr(name).unwrap_or_default().to_owned()
    }

    fn select(&self, css: &str) -> Vec<ElementRef<'_>> {
        self.0.select(&Selector::parse(css).expect("a selector")).collect()
    }
}
