//! What was probably meant by a name that is not known.

/// The message for an unknown `name`, with the nearest of `known` if one is near.
pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3 + 1);
    match nearest {
        Some((_, candidate)) => format!("is not known; did you mean `{candidate}`?"),
        None => "is not known; remove it".to_owned(),
    }
}
