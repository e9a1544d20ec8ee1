//! Recovery codes: what stands in for a second factor that was lost.

use crate::app::App;
use crate::ids::UserId;
use crate::random;
use crate::store::{Error, Tx, query};

/// How many a set has.
pub const SET: usize = 10;

/// Without letters that look like digits or others (Crockford's Base32).
const CHARACTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 60 bits.
const LENGTH: usize = 12;

/// Makes a new set in place of the one before, and returns its codes, as they are shown once.
///
/// # Errors
/// When the database fails.
pub async fn renew(tx: &mut Tx, app: &App, user: UserId) -> Result<Vec<String>, Error> {
    const ADD: &str = "INSERT INTO recovery_codes (user_id, digest) VALUES ($1, $2)";
    remove_all(tx, user).await?;
    let codes: Vec<String> = (0..SET).map(|_| new_code()).collect();
    for code in &codes {
        query(ADD).bind(user).bind(digest(app, user, code)).execute(tx).await?;
    }
    Ok(codes.iter().map(|code| shown(code)).collect())
}

/// Spends a code, as a person types it; `false` when it is none of those that are left. Of two requests
/// with the same code one spends it.
///
/// # Errors
/// When the database fails.
pub async fn spend(tx: &mut Tx, app: &App, user: UserId, typed: &str) -> Result<bool, Error> {
    const SPEND: &str = "DELETE FROM recovery_codes WHERE user_id = $1 AND digest = $2";
    let Some(code) = read(typed) else { return Ok(false) };
    Ok(query(SPEND).bind(user).bind(digest(app, user, &code)).execute(tx).await? == 1)
}

/// Removes those that are left.
///
/// # Errors
/// When the database fails.
pub async fn remove_all(tx: &mut Tx, user: UserId) -> Result<u64, Error> {
    query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user).execute(tx).await
}

fn digest(app: &App, user: UserId, code: &str) -> String {
    app.keys.root().digest_of_recovery_code(format!("{user} {code}").as_bytes())
}

fn new_code() -> String {
    let mut bytes = [0u8; LENGTH];
    random::fill(&mut bytes);
    bytes.iter().map(|byte| char::from(CHARACTERS[usize::from(byte % 32)])).collect()
}

/// In three groups.
fn shown(code: &str) -> String {
    let groups = [code.get(..4), code.get(4..8), code.get(8..)];
    groups.map(Option::unwrap_or_default).join("-")
}

/// A code as it is digested, if the text is one: capitals, spaces and dashes do not matter, nor do letters
/// that look like others.
fn read(typed: &str) -> Option<String> {
    let mut code = String::with_capacity(LENGTH);
    for c in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let c = match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        };
        if code.len() == LENGTH || !c.is_ascii() || !CHARACTERS.contains(&u8::try_from(c).ok()?) {
            return None;
        }
        code.push(c);
    }
    (code.len() == LENGTH).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = new_code();
        let shown = shown(&code);
        assert_eq!(shown.len(), LENGTH + 2);
        for typed in
            [shown.clone(), shown.to_uppercase(), code.clone(), format!("  {} ", shown.replace('-', " "))]
        {
            assert_eq!(read(&typed).as_deref(), Some(code.as_str()), "{typed}");
        }
        assert_eq!(read("OIL0-1abc-defg").as_deref(), Some("01101abcdefg"));
        for bad in
            ["", "1234", "u234-5678-9abc", "1234-5678-9abc-d", "1234-5678-9ab\u{e4}", "1234-5678-9ab\0"]
        {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
