# Sections of the account.
section-applications = Apps with access
section-tokens = Access tokens
section-export = Your data

# The name that a person is shown by.
profile-title = Your name
profile-lead = People you talk to see it, in every room that you are in.
profile-changed = Your name is changed. It can take a moment until everybody sees it.
profile-removed = Your name is removed. It can take a moment until everybody sees it.
profile-not-changed = Your name is not changed
profile-too-long = Use at most { $most } characters
profile-unreachable = <strong>The chat server is not answering right now.</strong> Your present name is not known here. You can choose another one: it is passed on as soon as the server answers.
profile-hint = Your Matrix ID <bdi class="mxid">{ $mxid }</bdi> stays the same. Leave the field empty to have no name.
profile-change = Change your name

# Apps with access.
applications-lead = Apps and websites that can use your account, or that you allowed to and that need not ask again.
application-has-no-access-any-more = The app has no access any more.
applications-none = No app has access.
applications-none-hint = When you sign in with an app or a website, it appears here, and you can take its access away.
application-sessions = { $count ->
    [0] Not signed in
    [one] 1 session
   *[other] { $count } sessions
}
application-since = since
application-last-seen = last seen
application-what-it-can-do = What it can do<span class="unseen">: { $app }</span>
application-show = Show<span class="unseen"> { $app }</span>
applications-pages = Pages of apps
applications-more = More apps
application-title = App with access
application-access-since = Has access since
application-not-signed-in = Not signed in
application-client-id = Client ID
application-home-page = The app’s home page
application-terms = The app’s terms
application-policy = How it treats your data
application-allowed = What you allowed it
application-allowed-since = It need not ask you for this again, except for a new device. You allowed it on
application-is-trusted = Those who run this server trust this app, so that you are never asked.
application-nothing-remembered = Nothing is remembered. You are asked the next time.
application-where-signed-in = Where it is signed in
application-nowhere = Nowhere. It cannot reach your account just now.
application-device = Device <code>{ $id }</code>
application-no-device = Session without a device
application-all-sessions = All sessions
application-take-away = Take its access away
application-take-away-hint = Signs it out everywhere, and forgets what you allowed it.
end-application-title = Take an app’s access away
end-application-heading = Take its access away?
end-application-website = Website
end-application-sessions = { $count ->
    [0] It is not signed in now.
    [one] This ends its session.
   *[other] This ends its { $count } sessions.
}
end-application-trusted = It can be used again without asking you, since those who run this server trust it.
end-application-anew = To use it again you would have to allow it anew.
end-application-devices = { $count ->
    [one] <strong>Encrypted messages may be lost.</strong> It is a device that may hold keys to your encrypted messages. Without a backup of the keys, you will not be able to read older messages.
   *[other] <strong>Encrypted messages may be lost.</strong> It is { $count } devices that may hold keys to your encrypted messages. Without a backup of the keys, you will not be able to read older messages.
}
end-application-back-up = First set up key backup in the app.

# Access tokens for programs of the person’s own.
tokens-lead = For programs of your own, such as bots, which cannot sign in as apps do. Whoever has a token can do what it was made for.
token-is-revoked = The token works no more.
tokens-too-many = You have { $most } tokens, which is as many as you can. Revoke one that you no longer use.
tokens-none = No token yet.
tokens-none-hint = When you make one, it appears here with what it may do and when it was last used.
token-last-used = Last used
token-not-used-yet = Not used yet
token-ends = Ends
token-revoke-named = Revoke<span class="unseen"> { $token }</span>
token-make = Make a token
token-for-a-program = Access token for a program of yours
token-made-at = Made
token-that-you-made = Access token that you made
token-access-token = Access token
token-revoke-this = Revoke this token
token-revoke-heading = Revoke this access token?
token-revoke-means = Programs that use it can no longer reach your account, at once.
token-revoke-device = Its device is deleted, with the encrypted messages that only it can read.
token-revoke = Revoke the token
token-not-yet = Not yet
token-has-new-name = The token has its new name.
token-name-it = Name the token
token-only-you-see = Only you see it.
token-revoke-section = Revoke
new-token-title = Make an access token
new-token-lead = For a program of your own. It is shown once, and works until it ends or you revoke it.
new-token-not-made = No token was made
new-token-name-missing = Enter a name for it
new-token-name-too-long = Use at most { $most } characters for the name
new-token-nothing = Choose what the token may do
new-token-administration-alone = A token that administers the chat server also needs to read and send messages
new-token-device-alone = A token that is a device also needs to read and send messages
new-token-device-id-wrong = Use at most 255 letters, digits and signs without spaces for the device ID
new-token-span-wrong = Choose how long the token works
new-token-not-allowed = This server does not allow you a token that may do this. Choose less, or ask those who run it
new-token-device-in-use = This device is signed in. Sign it out first, or use another device ID
new-token-busy = This device is just being signed in or out. Try again in a moment
new-token-device-refused = The chat server does not take this device ID. Use another one
new-token-name = Name of the token
new-token-name-hint = Tells you later which program it is for.
new-token-may = What it may do
new-token-identity = Know which account is yours, your name and your e-mail address
new-token-device = Device of the token
new-token-make-device = Make it a device of yours
new-token-device-hint = A program needs a device to read encrypted messages.
new-token-device-id = Device ID <span class="muted">(optional)</span>
new-token-device-id-hint = Leave it empty to get a fresh one.
new-token-works-for = It works for
new-token-make = Make the token
new-token-back = Back to the tokens
token-made-title = Your access token
token-made-copy = <strong>Copy it now.</strong> It is not shown again. Keep it like a password.
token-made-copied = I have copied it

# The person’s data as a file.
export-lead = Everything that this server holds about you, as a file (JSON).
export-contents = What is in it
export-who = Who you are: your name, your Matrix ID, your e-mail addresses
export-factors = How you sign in: what your passkeys, security keys and authenticator apps are called, and when you used them
export-sessions = Where you are signed in, and where you were in the last 30 days
export-consents = What you allowed apps, and your access tokens
export-activity = What happened to your account
export-not = Nothing in it lets anybody sign in. Your messages and rooms are not in it: they are on the chat server, and your app can export them.
export-download = Download your data

# Looking for sessions.
sessions-search-label = App, device or address
sessions-search = Search
sessions-no-match = <strong>Nothing matches “<bdi>{ $text }</bdi>”.</strong>
sessions-no-match-yet = <strong>Nothing so far matches “<bdi>{ $text }</bdi>”.</strong>
sessions-only-matches = Only what matches “<bdi>{ $text }</bdi>”.
sessions-show-all = Show all sessions
sessions-used-later = Sessions used later
session-last-seen-from = Last seen from

# What happened to the account.
event-name-changed = Name changed
event-token-made = Access token made
event-token-revoked = Access token revoked
event-application-removed = App signed out, and its permissions forgotten
event-data-exported = Your data downloaded

# Mails.
mail-token-made = An access token was made for your account. Whoever has it can do with your account what it was made for.
mail-data-exported = Everything that the server knows of your account was downloaded as a file.
mail-subject-token-made = An access token was made for your account on { $service }
mail-subject-data-exported = Your data was downloaded from your account on { $service }

# Another factor than an app, and another name for an app.
enrol-something-else = Set up something else instead
enrol-a-passkey = A passkey
enrol-a-security-key = A security key
rename-app-named = Rename<span class="unseen"> { $app }</span>
rename-app-title = Rename the app
app-has-new-name = The authenticator app has its new name.
