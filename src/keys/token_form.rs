//! How our tokens look, and what they tell without a look at the database.
//!
//! `gha_` or `ghr_`, then 44 base62 characters, `_`, and 6 more: prefix, 128 bits that name the
//! token's family, 128 bits that are its own, and a CRC-32 of all before. The prefix tells scanners
//! and us what it is; the checksum turns mistyped and invented tokens away before any lookup. The
//! family is the secret that all tokens of one kind in one session share, so that a token whose own
//! digest is long forgotten still names its session.

use aws_lc_rs::hmac;

use super::{RootSecret, digest};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters that 128 bits take in base62.
const PART: usize = 22;
/// Characters that 32 bits take in base62.
const CHECKSUM: usize = 6;
const PREFIX: usize = 4;
/// The whole length of a token.
const LENGTH: usize = PREFIX + 2 * PART + 1 + CHECKSUM;

/// What a token is good for; each kind has its own prefix, so that none is taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An OAuth access token (RFC 6749 §1.4).
    Access,
    /// An OAuth refresh token (RFC 6749 §1.5).
    Refresh,
}

impl TokenKind {
    const ALL: [TokenKind; 2] = [TokenKind::Access, TokenKind::Refresh];

    fn prefix(self) -> &'static str {
        match self {
            TokenKind::Access => "gha_",
            TokenKind::Refresh => "ghr_",
        }
    }

    /// Which kind a text is, if it has the form of one of our tokens and its checksum is right.
    pub fn of(token: &str) -> Option<TokenKind> {
        let kind = TokenKind::ALL.into_iter().find(|kind| token.starts_with(kind.prefix()))?;
        if token.len() != LENGTH || !token.is_ascii() {
            return None;
        }
        let (body, checksum) = token.split_at(LENGTH - CHECKSUM);
        (checksum.as_bytes() == checksum_of(body)).then_some(kind)
    }

    /// Whether a text claims by its prefix to be one of our tokens.
    pub fn is_claimed_by(token: &str) -> bool {
        TokenKind::ALL.into_iter().any(|kind| token.starts_with(kind.prefix()))
    }
}

/// The secret that the tokens of one kind in one session share.
#[derive(Clone, PartialEq, Eq)]
pub struct Family(String);

impl Family {
    /// A new family, for the refresh tokens of a new session.
    pub fn new() -> Family {
        Family(random_part())
    }

    /// The family that a token names. The token must have been found to be of a [`TokenKind`].
    pub fn of(token: &str) -> Option<Family> {
        token.get(PREFIX..PREFIX + PART).map(|part| Family(part.to_owned()))
    }

    /// The family of the refresh tokens that follow one that another server issued. Only who holds that
    /// one and the root secret can tell it.
    pub fn of_foreign(token: &str, root: &RootSecret) -> Family {
        let mut context = hmac::Context::with_key(root.family_key());
        context.update(b"foreign\0");
        context.update(token.as_bytes());
        Family(part_of_tag(context.sign()))
    }

    /// The family of the access tokens beside these refresh tokens. Who holds a refresh token can
    /// tell it, but not the other way round: a homeserver, which sees access tokens, cannot make up
    /// something that looks like an old refresh token.
    pub fn for_access(&self, root: &RootSecret) -> Family {
        Family(part_of_tag(hmac::sign(root.family_key(), self.0.as_bytes())))
    }

    /// What the database knows of the family.
    pub fn digest(&self) -> String {
        digest(self.0.as_bytes())
    }

    /// A fresh token of this family.
    pub fn random_token(&self, kind: TokenKind) -> String {
        self.assemble(kind, &random_part())
    }

    /// The token of this family that follows from a refresh token that was presented and a nonce
    /// that was stored: who presents the same refresh token again gets the same answer again, and
    /// yet neither the database nor the root secret alone can tell it.
    pub fn successor_token(
        &self,
        kind: TokenKind,
        root: &RootSecret,
        presented: &str,
        nonce: &str,
    ) -> String {
        let mut context = hmac::Context::with_key(root.successor_key());
        for part in [kind.prefix(), presented, nonce] {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        self.assemble(kind, &part_of_tag(context.sign()))
    }

    fn assemble(&self, kind: TokenKind, own: &str) -> String {
        let mut token = String::with_capacity(LENGTH);
        token.push_str(kind.prefix());
        token.push_str(&self.0);
        token.push_str(own);
        token.push('_');
        let checksum = checksum_of(&token);
        token.extend(checksum.iter().map(|byte| char::from(*byte)));
        token
    }
}

impl Default for Family {
    fn default() -> Family {
        Family::new()
    }
}

/// What the database knows of a token.
pub fn digest_of_token(token: &str) -> String {
    digest(token.as_bytes())
}

fn random_part() -> String {
    let mut bytes = [0u8; 16];
    crate::random::fill(&mut bytes);
    part_of(bytes)
}

fn part_of_tag(tag: hmac::Tag) -> String {
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&tag.as_ref()[..16]);
    part_of(bytes)
}

fn part_of(bytes: [u8; 16]) -> String {
    let mut rest = u128::from_be_bytes(bytes);
    let mut out = [b'0'; PART];
    for place in out.iter_mut().rev() {
        *place = BASE62[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
    }
    out.iter().map(|byte| char::from(*byte)).collect()
}

fn checksum_of(body: &str) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut out = [b'0'; CHECKSUM];
    for place in out.iter_mut().rev() {
        *place = BASE62[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_tells_its_kind_and_its_family() {
        let family = Family::new();
        let token = family.random_token(TokenKind::Refresh);
        assert_eq!(token.len(), LENGTH);
        assert_eq!(TokenKind::of(&token), Some(TokenKind::Refresh));
        assert!(Family::of(&token) == Some(family.clone()));
        assert_eq!(TokenKind::of(&family.random_token(TokenKind::Access)), Some(TokenKind::Access));
        assert_ne!(family.random_token(TokenKind::Access), family.random_token(TokenKind::Access));
    }

    #[test]
    fn the_same_presented_token_and_nonce_give_the_same_successor() {
        let root = RootSecret::generate();
        let family = Family::new();
        let presented = family.random_token(TokenKind::Refresh);
        let successor = |nonce| family.successor_token(TokenKind::Refresh, &root, &presented, nonce);
        assert_eq!(successor("a"), successor("a"));
        assert_ne!(successor("a"), successor("b"));
        assert_ne!(
            successor("a"),
            family.successor_token(TokenKind::Refresh, &RootSecret::generate(), &presented, "a")
        );
        assert_ne!(family.for_access(&root).0, family.0);
        assert_ne!(family.for_access(&root).0, Family::of_foreign(&family.0, &root).0);
    }

    proptest! {
        #[test]
        fn no_other_text_is_taken_for_a_token(text in "\\PC{0,80}") {
            prop_assert_eq!(TokenKind::of(&text), None);
        }

        #[test]
        fn one_changed_character_is_noticed(place in 0..LENGTH, to in 0usize..62) {
            let token = Family::new().random_token(TokenKind::Access);
            let mut changed = token.clone().into_bytes();
            changed[place] = BASE62[to];
            let changed = String::from_utf8(changed).unwrap();
            prop_assert!(changed == token || TokenKind::of(&changed).is_none());
        }
    }
}
