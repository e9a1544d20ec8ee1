# Why a new password is not taken.
password-about-you = Use a password without your name, your address or the name of this server: those are tried first.
password-common = Use another password: many people have this one, or one much like it.
password-word = Use a password of several words: a word or a name by itself is easy to guess.
password-pattern = Use a password without keys in a row, repetitions or sequences like “abc”: those are easy to guess.
password-date = Use a password without dates and years: those are easy to guess.
password-simple = Use a password that is harder to guess.
password-advice = Several words that have nothing to do with you or with each other are good
password-breached = Use another password: this one was stolen elsewhere, from you or from somebody else, and is on the lists that are tried first
password-needs-second = Nothing was removed: your password is short, which is enough only beside a second factor, and this is your last one. Choose a longer password first.
