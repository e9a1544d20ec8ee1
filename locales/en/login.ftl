# What is said on several pages of the sign-in.
to-continue-to = to continue to { $client }
not-signed-in-yet = You are not signed in yet
too-many-attempts = There were too many attempts. Try again in { $wait }
too-many-wrong-codes = There were too many wrong codes. Try again in { $wait }
page-too-old-try-again = This page was open for too long, or your browser keeps no cookies. Try again
password = Password
username = Username
go-on = Continue
ask-those-who-run-this-server = If you have lost what you confirm with, ask those who run this server.

# Signing in.
sign-in-heading = Sign in to <bdi>{ $server }</bdi>
enter-your-username = Enter your username
enter-your-password = Enter your password
wrong-name-or-password = The username or the password is not right. Check both and try again
page-too-old-enter-password = This page was open for too long, or your browser keeps no cookies. Enter your password again
passkey-invalid = That passkey does not work here, or not any more. Try another one, or your password
page-too-old-use-passkey = This page was open for too long, or your browser keeps no cookies. Use your passkey again
passkeys-need-script-or-password = Passkeys need JavaScript. Turn it on for this page, or sign in with your password
account-is-locked = This account is locked. Ask those who run this server
notice-session-ended = You were signed out of this browser. Sign in again to go on.
notice-confirm-it-is-you = Sign in again, so that we know it is you.
passkey-failed-use-password = That did not work: it was cancelled, or took too long. Try again, or sign in with your password.
sign-in-with-a-passkey = Sign in with a passkey
or = or
passkeys-need-script = Passkeys need JavaScript. Your password works without.
i-cannot-sign-in = I can’t sign in

# The second step.
confirm-that-it-is-you = Confirm that it is you
you-are-signing-in-as = You are signing in as
code-wrong = This code is not right, or was used before. Enter another one
page-too-old-enter-code = This page was open for too long, or your browser keeps no cookies. Enter a code again
code-from-your-app = Code from your authenticator app
code-from-your-app-hint = Six digits that change every half minute.
use-a-passkey-or-security-key = Use a passkey or security key
use-a-recovery-code = Use a recovery code
recovery-code = Recovery code
recovery-code-hint = One of those that you saved when you set them up. Each works once.
confirm-in-another-way = Confirm in another way
do-not-ask-again = Do not ask again in this browser
do-not-ask-again-hint = For { $length }. Only on a device that is yours alone.
confirm-with-your-key = Confirm with your key
browser-ran-no-script = Your browser ran no JavaScript, which this needs
key-invalid = That did not work. Try again, or with another one
key-ready = Have your passkey or security key ready. Your browser tells you what to do.
key-needs-script = <strong>This needs JavaScript.</strong> Your browser talks to your key by it. Turn it on for this page, or choose another way.
key-failed = That did not work: it was cancelled, or took too long. You can try again.
key-unsupported = This browser does not know passkeys and security keys. Choose another way.
use-your-key = Use your key
choose-another-way = Choose another way

# Getting back in.
get-back-into-your-account = Get back into your account
password-wrong = The password is not right. Check it and try again
recover-lead = This link lets you in once without your authenticator app, passkey or recovery code. Then set up new ones, and remove those you have lost.
reset-lead = Enter an e-mail address that belongs to your account. We send you a link with which you choose a new password.
no-link-was-sent = No link was sent
enter-an-email = Enter an e-mail address, such as name@example.com
too-many-links = Too many links were asked for. Try again in { $wait }
email-address = E-mail address
send-me-a-link = Send me a link
no-address-ask = Does no address belong to your account? Ask those who run <bdi>{ $server }</bdi>.
reset-impossible = This server sends no links to get back in.
reset-impossible-ask = Ask those who run <bdi>{ $server }</bdi>: they can set a new password for you.
back-to-the-sign-in = Back to the sign-in
look-at-your-mail = Look at your mail
reset-sent = If the address belongs to an account here, a mail with a link is on its way. The link is good for ten minutes, once.
reset-no-mail = No mail? Look among unwanted mails. Perhaps another address belongs to your account: <a href="{ $url }">try that one</a>.
you-can-close-this-page = You can close this page.
choose-a-new-password = Choose a new password
for-account = for <bdi class="mxid">{ $mxid }</bdi>
password-not-changed = Your password is not changed
sign-out-devices-too = Sign out my apps and devices too
sign-out-devices-too-hint = Browsers are signed out in any case. Do this when someone else may have got in: devices that are signed out may hold the only keys to older encrypted messages.
set-password-and-sign-in = Set the password and sign in

# After signing out.
signed-out = Signed out
you-are-signed-out = You are signed out
signed-out-of-browser = This browser no longer has access to your account on <bdi>{ $server }</bdi>.
devices-stay-signed-in = Apps and devices you signed in stay signed in. To end them, sign in and open Sessions.
