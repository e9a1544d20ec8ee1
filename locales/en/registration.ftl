# Making an account: the name.
create-an-account = Create an account
create-an-account-on = Create an account on <bdi>{ $server }</bdi>
no-account-yet = No account yet?
have-an-account = Do you have an account?
choose-a-username = Choose a username
username-hint = Others find you as <bdi>@username:{ $server }</bdi>. It cannot be changed later.
username-underscore = Begin the username with a letter or a digit
username-characters = Use only the letters a to z, digits and . _ = - / + in the username
username-digits = Use at least one letter in the username
username-long = Choose a shorter username
username-of-other-server = Choose a username for this server. What you entered names another one
username-taken = Choose another username. This one is taken
username-homeserver-unreachable = The chat server is not answering, so we cannot see whether the username is free. It is a fault on our side. Try again in a few minutes
too-many-usernames = Too many usernames were tried. Try again in { $wait }
registration-too-late = What you had entered is gone: more than an hour has passed, or it is an account by now. Sign in, or start again.

# What must be shown before that.
registration-token = Registration token
registration-token-hint = You get it from those who run this server.
enter-your-token = Enter your registration token
token-unknown = Check the registration token. We do not know it
token-used-up = Enter another registration token. This one was used as often as it can be
token-expired = Enter another registration token. This one is too old
too-many-wrong-tokens = There were too many wrong registration tokens. Try again in { $wait }
captcha-hint = While you fill this in, your browser solves a small puzzle by itself, so that programs cannot make accounts by the thousand.
captcha-working = One moment: your browser is not done yet. The form is sent as soon as it is.
captcha-done = Your browser is done.
captcha-failed = Your browser could not solve the puzzle. Load this page again, or use another browser.
captcha-needs-script = <strong>Without JavaScript you need a registration token.</strong> Those who run this server give them out. With JavaScript turned on, your browser shows by itself that it is no program.
captcha-missing = Your browser has not solved the puzzle that keeps programs out. Turn JavaScript on and try again, or enter a registration token
captcha-wrong = Your browser has not solved the puzzle that keeps programs out. Try again

# What the rules of the server say.
violation-requester-banned = From your network or with your program no accounts are made here. Ask those who run this server
violation-method-not-allowed = Accounts are not made in this way just now. Ask those who run this server
violation-name-too-short = Use at least { $minimum } characters in the username
violation-name-banned = Choose another username. This one is kept back here
violation-name-not-allowed = Choose another username. Only some kinds of names are taken here
violation-email-domain-banned = Use another e-mail address. This server takes none from that provider
violation-email-banned = Use another e-mail address. This server does not take this one
violation-email-not-allowed = Use another e-mail address. This server takes only some
violation-other = The rules of this server do not allow this account. Ask those who run it

# Coming back, and coming with an account.
your-new-account = Your new account
change-username = Change
resume-heading = Go on with your new account?
resume-lead = You have begun to make the account <bdi class="mxid">{ $mxid }</bdi> with this browser. What you entered is kept for an hour.
start-again = Start again
start-again-forgets = If you start again, we forget everything that was entered.
you-already-have-an-account = You already have an account
go-on-with-this-account = Go on with this account
sign-out-and-create-another = Sign out and create another
afterwards-you-continue-to = Afterwards you continue to { $client }.

# The e-mail address.
your-email-address = Your e-mail address
email-is-good-for = With it you get back in when you forget your password.
code-no-longer-counts = That code no longer counts. Have a new one sent
email-taken-by-now = Use another address, or sign in. An account has this address by now
send-me-a-code = Send me a code
go-on-without-email = Go on without an address
sign-in-to-that-account = Sign in to that account
we-sent-a-mail-for-any-device = We sent a mail to <bdi>{ $address }</bdi>. It has a code, and a link that you can open on any device instead.
i-have-opened-the-link = I have opened the link
no-mail-send-again = No mail? Look among unwanted mails, or <a href="{ $url }">have it sent again, or elsewhere</a>.
email-link-heading = Make an account with this address?
new-account = New account
email-link-warning = Go on only if it is you who makes this account: whoever makes it uses the address from then on.
email-link-go-on = Go on where you began to make the account: on that page, choose “I have opened the link”.

# The password, the passkey, the terms.
choose-a-password = Choose a password
no-password-yet = You have no password yet
use-a-passkey-instead = Use a passkey instead of a password
create-a-passkey = Create a passkey
add-a-passkey-too = Add a passkey?
no-passkey-yet = There is no passkey yet
passkey-of-another-account = It belongs to an account already. Use another device
passkey-needs-script = <strong>This needs JavaScript.</strong> Your browser talks to your device by it. Turn it on for this page.
passkey-needs-script-or-later = <strong>This needs JavaScript.</strong> Your browser talks to your device by it. Turn it on for this page, or go on without a passkey: you can add one later.
passkey-needs-script-or-password = <strong>This needs JavaScript.</strong> Your browser talks to your device by it. Turn it on for this page, or choose a password instead.
no-passkey-failed = There is no passkey yet: it was cancelled, or took too long. You can try again.
no-passkey-known = There is no passkey yet: this device has one for this account already. Use another device.
choose-a-password-instead = Choose a password instead
i-accept-terms = I accept the <a href="{ $terms }" target="_blank" rel="noopener">terms of service</a>
i-accept-terms-and-policy = I accept the <a href="{ $terms }" target="_blank" rel="noopener">terms of service</a> and have read the <a href="{ $policy }" target="_blank" rel="noopener">privacy policy</a>
accept-the-terms = Accept the terms of service
account-not-made-yet = Your account is not made yet
create-the-account = Create the account

# In the activity of the account.
event-account-created = Account created

# Mails.
mail-subject-verify-registration = Your new account at { $service }
mail-subject-account-exists = You already have an account at { $service }
mail-verify-registration = Somebody is making an account with this e-mail address. If it is you, enter this code where you are asked for it:
mail-verify-registration-not-you = Was it not you? Then do nothing: without the code there will be no account with your address. Never tell anybody the code.
mail-account-exists = Somebody wants to make an account with this e-mail address. It belongs to the account named below already, so nothing was changed.
mail-account-exists-sign-in = If it was you, <a href="{ $login }">sign in to that account</a>. Have you forgotten your password? <a href="{ $reset }">Get back in here</a>.
mail-account-exists-sign-in-open = If it was you, sign in to that account:
mail-account-exists-reset-open = Have you forgotten your password? Get back in here:
mail-account-exists-not-you = Was it not you? Then do nothing. They were not told that you have an account.
