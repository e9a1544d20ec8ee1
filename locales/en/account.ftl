# The list of sections.
account = Account
sign-in-and-security = Sign-in and security
email-addresses = E-mail addresses
sessions = Sessions
activity = Activity

# The first page.
your-account = Your account
home-homeserver-unreachable = <strong>The chat server is not answering right now.</strong> What it knows about you may be missing here. Try again in a few minutes.
name = Name
no-name-set = None set
matrix-id = Matrix ID
role = Role
administrator = Administrator
your-apps-stay-signed-in = Your apps and devices stay signed in.
sign-out-this-browser = Sign out this browser
deactivate-your-account = Deactivate your account
signs-you-out-for-good = Signs you out everywhere, for good.

# What happened.
activity-lead = What happened to your account in the last { $days } days. If something was not you, change your password and sign out what you do not recognise.
nothing-has-happened = Nothing has happened yet.
what-appears-in-activity = Sign-ins appear here, and changes of how you sign in.
event-signed-in = Signed in
event-password-changed = Password changed
event-email-added = E-mail address added
event-email-removed = E-mail address removed
event-passkey-added = Passkey or security key added
event-passkey-removed = Passkey or security key removed
event-authenticator-added = Authenticator app set up
event-authenticator-removed = Authenticator app removed
event-recovery-codes-made = New recovery codes made
event-recovery-code-used = Recovery code used
event-browser-remembered = Browser remembered, which is not asked for your second factor
event-factors-removed = Second factors removed
event-recovery-link-made = Recovery link made
event-recovery-link-used = Recovery link used
event-sessions-ended = Sessions signed out
event-cross-signing-reset = App allowed to reset your cross-signing keys
event-unknown = Something that this version of the server does not know
by-an-administrator = by an administrator
pages-of-activity = Pages of activity
earlier-activity = Earlier activity

# Sessions.
first-page = First page
from-address = from { $address }
from-an-unknown-place = from an unknown place
sessions-lead = Everything that is signed in to your account. If you do not recognise something, sign it out.
ended-browser = The browser is signed out.
ended-device = The device is signed out.
ended-already = It was signed out already.
ended-others = { $count ->
    [0] Nothing else was signed in.
    [one] 1 other session is signed out.
   *[other] { $count } other sessions are signed out.
}
nothing-is-signed-in = Nothing is signed in.
what-appears-in-sessions = When you sign in with an app or a browser, it appears here, and you can sign it out from here.
in-use = In use
unused-for-ninety-days = Not used for 90 days
pages-of-sessions = Pages of sessions
more-sessions = More sessions
sign-out-everywhere-else = Sign out everywhere else
sign-out-everywhere-else-why = Ends every session but this one. Do this when you think someone else got in.
this-one = This one
name-not-verified = Name not verified
signed-in-with-older-login = Signed in with an older login
last-seen-unknown = Last seen unknown
details-of = Details<span class="unseen"> of { $session }</span>
more-about = More<span class="unseen"> about { $session }</span>
sign-out-this-device = Sign out this device
session = Session
device-has-new-name = The device has its new name.
name-the-device = Name the device
new-name = New name
device-name-hint = Your apps list the device by it, and people you talk to may see it.
enter-a-name = Enter a name
save-the-name = Save the name
do-this-when-not-recognised = Do this when you no longer use it, or do not recognise it.

# Ending sessions.
sign-out-this-browser-heading = Sign out this browser?
sign-out-another-browser-heading = Sign out another browser?
sign-out-this-device-heading = Sign out this device?
browser = Browser
device = Device
may-lose-messages-device = <strong>Encrypted messages may be lost.</strong> If this is your only device and you have no backup of its keys, you will not be able to read your older encrypted messages.
set-up-backup-device = If you still have the device, first set up key backup in its app.
sign-in-again-here = You will have to sign in again to see your account here. Your apps and devices stay signed in.
whoever-uses-it-signs-in-again = Whoever uses it will have to sign in again. Nothing else is lost.
keep-it-signed-in = Keep it signed in
sign-out-everywhere-else-heading = Sign out everywhere else?
ends-other-sessions = { $count ->
    [one] This ends 1 other session. Only this browser stays signed in.
   *[other] This ends { $count } other sessions. Only this browser stays signed in.
}
may-lose-messages-devices = <strong>Encrypted messages may be lost.</strong> { $count ->
    [one] 1 of them is a device that may hold keys to your encrypted messages.
   *[other] { $count } of them are devices that may hold keys to your encrypted messages.
} Without a backup of the keys, you will not be able to read older messages.
set-up-backup-devices = If you still have one of your devices, first set up key backup in its app.
keep-them-signed-in = Keep them signed in

# Pages that say the same.
back = Back
keep-it = Keep it

# Authenticator apps.
set-up-an-app = Set up an authenticator app
app-not-set-up-yet = The app is not set up yet
enrolment-wrong-code = The code is not right. Wait for the next one and enter that. If it happens again, check the clock of your device
enrolment-expired = This page was open for too long, or your browser keeps no cookies. Scan the new picture below
second-factor-required = <strong>A second factor is required here.</strong> Set one up to go on. From then on you sign in with your password and a code of the app.
scan-this-picture = Scan this picture with an authenticator app on your phone, or with a password manager.
qr-code-for-your-app = QR code for your authenticator app. The key below says the same.
enter-the-key-by-hand = Enter the key by hand
time-based-six-digits = Time-based, six digits, 30 seconds.
code-that-the-app-shows = Code that the app shows
enrolment-code-hint = Six digits. They show that the app works.
name-of-the-app = Name of the app <span class="muted">(optional)</span>
name-of-the-app-hint = So that you recognise it later, such as “Phone”.
set-up-the-app = Set up the app
cancel = Cancel
remove-an-app = Remove an authenticator app
remove-this-app = Remove this authenticator app?
set-up-at = Set up
last-app-warning = <strong>Your password will be enough to sign in.</strong> Whoever learns it can use your account. Recovery codes go with the app.
app-codes-no-longer-work = Its codes will not work here any more.
remove-the-app = Remove the app

# E-mail addresses.
emails-lead = We write to you when something happens to your account, and when you can’t sign in.
email-belongs-to-you-now = The address belongs to your account now.
email-is-removed = The address is removed.
email-code-over = This code was used already, or it is no longer good. Add the address again to get a new one.
email-taken = This address belongs to another account. Remove it there first.
no-address-yet = No address yet.
what-an-address-is-for = With an address of yours here, you can get back in when you forget your password.
not-confirmed = Not confirmed
confirm-address = Confirm<span class="unseen"> { $address }</span>
remove-named = Remove<span class="unseen"> { $name }</span>
add-an-address = Add an address
server-sends-no-mail = This server sends no mail, so you cannot add an address here. Ask those who run it.
add-an-email = Add an e-mail address
add-an-email-lead = We send a code there, to see that it is yours.
no-code-was-sent = No code was sent
email-not-allowed = Use another address. This server does not accept this one
too-many-codes = Too many codes were sent. Try again in { $wait }
send-a-code = Send a code
enter-the-code = Enter the code
we-sent-a-mail = We sent a mail to { $address }. It has a code, and a link that you can use instead.
address-not-confirmed-yet = The address is not confirmed yet
enter-the-code-of-the-last-mail = Enter the code of the last mail we sent
email-code-hint = Six digits, good for ten minutes.
confirm-the-address = Confirm the address
no-mail-look = No mail? Look among unwanted mails, and check the address.
confirm-your-email = Confirm your e-mail address
add-this-address-heading = Add this address to the account?
add-only-to-your-account = Go on only if the account is yours: whoever has the account uses the address from then on.
add-the-address = Add the address
email-confirmed = E-mail address confirmed
your-address-is-confirmed = Your address is confirmed
it-belongs-to-your-account = It belongs to your account now.
remove-an-email = Remove an e-mail address
remove-this-address = Remove this address?
last-address-warning = <strong>It is the only one we can write to.</strong> Without it, you cannot get back in when you forget your password, and nobody tells you when someone else gets in.
we-no-longer-write-there = We no longer write there. You can add it again later.
remove-the-address = Remove the address
link-no-longer-works = This link no longer works
useless-link-why = It was used already, a newer one was sent, or ten minutes have passed. If you have just used it, that worked.
get-a-new-one = Get a new one

# Encryption identity, deactivation, password.
reset-identity = Reset your encryption identity
reset-identity-heading = Reset your encryption identity?
reset-identity-lead = Your app asks for this when nothing else can show that it is yours. Go on only if you started it there yourself.
reset-identity-warning = <strong>You may lose encrypted messages.</strong> Without another device or a recovery key, older ones can never be read again.
reset-identity-instead = If you still have either, go back and use that instead.
reset-identity-contacts = People you talk to are told that your identity has changed.
reset-identity-verify = You have to verify your devices and contacts anew.
reset-identity-devices = { $count ->
    [one] 1 device is signed in to your account. For ten minutes, it can set new keys. <a href="{ $url }">Look at your sessions</a> first, and sign out what you do not recognise.
   *[other] { $count } devices are signed in to your account. For ten minutes, any of them can set new keys. <a href="{ $url }">Look at your sessions</a> first, and sign out what you do not recognise.
}
allow-the-reset = Allow the reset
keep-my-identity = Keep my identity
reset-allowed = Reset allowed
go-back-to-your-app = Go back to your app
reset-allowed-lead = It can reset your encryption identity now, and goes on by itself. You have ten minutes.
reset-allowed-after = After that you would have to allow it again. You can close this page.
deactivate-heading = Deactivate your account?
account-not-deactivated = Your account is not deactivated
enter-the-username = Enter the username of this account
deactivate-warning = <strong>You cannot undo this.</strong> Only those who run <bdi>{ $server }</bdi> may be able to.
deactivate-sign-out = You are signed out everywhere, at once.
deactivate-rooms = You leave all rooms and conversations.
deactivate-messages = Encrypted messages that only your devices can open are lost.
deactivate-name = Nobody can ever take your name again, nor can you.
also-hide-what-i-wrote = Also hide what I wrote
also-hide-hint = People who have seen your messages keep them. Those who join later will not see them. This server forgets your addresses, how you signed in and what happened, too. Without this, your messages stay as they are.
your-username = Your username
enter-it-to-show = Enter it to show that you mean this account.
deactivate-my-account = Deactivate my account
keep-my-account = Keep my account
account-deactivated = Account deactivated
your-account-is-deactivated = Your account is deactivated
deactivated-lead = You are signed out everywhere. It may take a few minutes until you have left all rooms.
change-your-password = Change your password
also-sign-out-everywhere-else = Also sign out everywhere else
also-sign-out-hint = Do this when someone else may have got in. Devices that are signed out may hold the only keys to older encrypted messages.
change-the-password = Change the password
password-changed = Password changed
your-password-is-changed = Your password is changed
sign-in-with-the-new-one = From now on, sign in with the new one.

# Passkeys and security keys.
add-a-passkey = Add a passkey
add-a-security-key = Add a security key
nothing-was-added = Nothing was added
page-too-old = This page was open for too long. Try again
not-added-invalid = Your browser answered with something that we cannot accept. Try again, or with another device
not-added-already = It is added to an account already
not-added-too-many = Your account has as many as it can. Remove one that you no longer use
what-a-passkey-is = Your device keeps the passkey, and opens it by your fingerprint, your face or a PIN. With it you sign in without a password.
what-a-security-key-is = A security key is a small device that you plug in or hold to your phone. It confirms that it is you after your password was asked for; it does not sign you in by itself.
device-needs-script = <strong>This needs JavaScript.</strong> Your browser talks to your device by it. Turn it on for this page, or leave things as they are: everything else in your account works without.
not-added-failed = Nothing was added: it was cancelled, or took too long. You can try again.
not-added-known = Nothing was added: this device or key is already added to your account.
not-added-unsupported = This browser does not know passkeys. Try again with a newer one.
create-the-passkey = Create the passkey
use-the-security-key = Use the security key
leave-it = Leave it
passkey = Passkey
security-key = Security key
passkey-added = It is added. Next time, sign in with it: no password is needed. Give it a name that tells you later which one it is.
security-key-added = It is added. Give it a name that tells you later which one it is.
it-has-its-new-name = It has its new name.
kind-passkey = Passkey: signs you in by itself
kind-security-key = Security key: confirms a sign-in
where-it-is = Where it is
on-all-your-devices = { $provider }, on all of your devices that use it
made-for = Made for
made-for-host = <bdi class="host">{ $host }</bdi>, where you can no longer sign in
added = Added
last-used = Last used
not-yet = Not yet
passkey-name-hint = Only you see it. Your device may call it otherwise.
remove = Remove
remove-passkey-when = Do this when you no longer have it, or do not recognise it.
remove-it = Remove it
remove-the-passkey = Remove the passkey
remove-the-security-key = Remove the security key
remove-this-passkey = Remove this passkey?
remove-this-security-key = Remove this security key?
only-way-in-warning = <strong>You could not sign in any more.</strong> Your account has no password, and nothing else that signs you in. Add another passkey first.
last-second-step-warning = <strong>Only your password would protect your account.</strong> Whoever gets to know it could sign in.
passkey-lets-nobody-in = It will no longer let anybody in. Devices that are signed in stay signed in.
add-another-passkey = Add another passkey
passkeys-and-security-keys = Passkeys and security keys
what-passkeys-are-for = With a passkey you sign in by your fingerprint, your face or a PIN, without a password, and nobody can trick you into giving it away. Those that you add appear here.
second-step-only = Second step only
passkey-no-longer-works = <strong>It does not work any more</strong>: it was made for <bdi class="host">{ $host }</bdi>. Add a new one and remove this.
not-used-yet = Not used yet
change-named = Change<span class="unseen">: { $name }</span>
passkeys-cannot-be-used = Passkeys cannot be used here: browsers keep them for sites with a name, and this server is reached by a bare address.

# Sign-in and security.
security-app-added = The authenticator app is set up. You will be asked for a code of it when you sign in.
security-app-removed = The authenticator app is removed.
security-passkey-removed = It is removed, and no longer lets anybody in. Your device may still list it; you can delete it there.
security-last-factor = Nothing was removed: a second factor is required here, and this is your last one. Set up another one first.
security-too-many-apps = You have as many authenticator apps as you can have. Remove one first.
security-browser-forgotten = You will be asked for your second factor in that browser.
security-recovered = You are in. Now set up what you sign in with, and remove what you have lost.
you-can-sign-in-with-a-password = You can sign in with a password.
no-password = This account has no password.
set-a-password = Set a password
authenticator-apps = Authenticator apps
what-apps-are-for = An app on your phone shows a code that you enter after your password. Those that you set up appear here.
app-set-up-and-used = Set up { $created }, last used { $used }
recovery-codes = Recovery codes
what-recovery-codes-are-for = Codes for the day you lose your authenticator app or passkey. You can make them once you have set one up.
no-recovery-codes = <strong>You have none.</strong> If you lose your authenticator app or passkey, you cannot get in by yourself.
recovery-codes-left = { $count ->
    [one] You have 1 code left.
   *[other] You have { $count } codes left.
}
make-recovery-codes = Make recovery codes
make-new-recovery-codes = Make new recovery codes
remembered-browsers = Remembered browsers
what-remembered-browsers-are = Browsers in which you are not asked for your second factor appear here. You can choose that when you sign in.
password-is-enough-in = In these browsers your password is enough to sign in.
since-until = Since { $since }, until { $until }
forget-named = Forget<span class="unseen"> { $name }</span>

# Recovery codes.
offer-codes-lead = If you lose your phone or your key, a recovery code lets you in. Each works once, together with your password.
offer-codes-keep = Keep them where you will find them without your phone: on paper, or in a password manager.
codes-left-will-be-replaced = { $count ->
    [one] <strong>You have 1 code left.</strong> New ones take their place: the old ones will not work any more.
   *[other] <strong>You have { $count } codes left.</strong> New ones take their place: the old ones will not work any more.
}
show-new-recovery-codes = Show new recovery codes
keep-the-old-ones = Keep the old ones
not-now = Not now
your-recovery-codes = Your recovery codes
codes-for-account = For <bdi class="mxid">{ $mxid }</bdi>. Each works once.
save-them-now = <strong>Save them now.</strong> They are not shown again.
download = Download
print = Print
i-have-saved-them = I have saved them
recovery-codes-of = Recovery codes of { $mxid }
authenticator-app = Authenticator app
