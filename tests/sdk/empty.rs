//! Empty: everything is in the test.
