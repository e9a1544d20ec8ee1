# What is set for a language: how it calls itself, the direction in which it is written (ltr or rtl), and what
# stands between groups of three digits.
language-name = English
language-direction = ltr
language-digit-group = ,

# Every page.
skip-to-content = Skip to content
error-prefix = Error:
imprint = Imprint
privacy-policy = Privacy policy
terms-of-service = Terms of service
choose-language = Language

# The front page.
index-title = Accounts
index-heading = Accounts for <bdi>{ $server }</bdi>
index-lead = Here you manage your account on this chat server: who you are, and which apps and devices may use it.
index-to-chat = To chat, open your Matrix app and sign in there. It brings you here and back again.

# What many pages say.
sign-in = Sign in
go-to-your-account = Go to your account
you-are-signed-in-as = You are signed in as
not-you = Not you?
show-password = Show<span class="unseen"> password</span>
