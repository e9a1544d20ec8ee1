//! Randomness, from the operating system alone.

/// Fills the buffer from the operating system's random number generator.
///
/// # Panics
/// When the operating system has no randomness to give; nothing could go on safely then.
pub fn fill(buffer: &mut [u8]) {
    if aws_lc_rs::rand::fill(buffer).is_err() {
        panic!("the operating system gives no random numbers");
    }
}
