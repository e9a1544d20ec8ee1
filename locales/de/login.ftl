# What is said on several pages of the sign-in.
to-continue-to = Danach geht es weiter zu { $client }
not-signed-in-yet = Sie sind noch nicht angemeldet
too-many-attempts = Das waren zu viele Versuche. Warten Sie { $wait } und versuchen Sie es dann noch einmal
too-many-wrong-codes = Das waren zu viele falsche Codes. Warten Sie { $wait } und versuchen Sie es dann noch einmal
page-too-old-try-again = Diese Seite war zu lange offen, oder Ihr Browser behält keine Cookies. Versuchen Sie es noch einmal
password = Passwort
username = Benutzername
go-on = Weiter
ask-those-who-run-this-server = Wenn Sie nicht mehr haben, womit Sie bestätigen, wenden Sie sich an die Betreiber dieses Servers.

# Signing in.
sign-in-heading = Anmelden bei <bdi>{ $server }</bdi>
enter-your-username = Geben Sie Ihren Benutzernamen ein
enter-your-password = Geben Sie Ihr Passwort ein
wrong-name-or-password = Der Benutzername oder das Passwort stimmt nicht. Prüfen Sie beides und versuchen Sie es noch einmal
page-too-old-enter-password = Diese Seite war zu lange offen, oder Ihr Browser behält keine Cookies. Geben Sie Ihr Passwort noch einmal ein
passkey-invalid = Dieser Passkey funktioniert hier nicht oder nicht mehr. Versuchen Sie es mit einem anderen oder mit Ihrem Passwort
page-too-old-use-passkey = Diese Seite war zu lange offen, oder Ihr Browser behält keine Cookies. Benutzen Sie Ihren Passkey noch einmal
passkeys-need-script-or-password = Passkeys brauchen JavaScript. Schalten Sie es für diese Seite ein, oder melden Sie sich mit Ihrem Passwort an
account-is-locked = Dieses Konto ist gesperrt. Wenden Sie sich an die Betreiber dieses Servers
notice-session-ended = Sie wurden in diesem Browser abgemeldet. Melden Sie sich noch einmal an, um fortzufahren.
notice-confirm-it-is-you = Melden Sie sich noch einmal an, damit wir wissen, dass Sie es sind.
passkey-failed-use-password = Das hat nicht geklappt: Es wurde abgebrochen oder dauerte zu lange. Versuchen Sie es noch einmal, oder melden Sie sich mit Ihrem Passwort an.
sign-in-with-a-passkey = Mit einem Passkey anmelden
or = oder
passkeys-need-script = Passkeys brauchen JavaScript. Ihr Passwort funktioniert auch ohne.
i-cannot-sign-in = Ich kann mich nicht anmelden

# The second step.
confirm-that-it-is-you = Bestätigen Sie, dass Sie es sind
you-are-signing-in-as = Sie melden sich an als
code-wrong = Dieser Code stimmt nicht oder wurde schon benutzt. Geben Sie einen anderen ein
page-too-old-enter-code = Diese Seite war zu lange offen, oder Ihr Browser behält keine Cookies. Geben Sie noch einmal einen Code ein
code-from-your-app = Code aus Ihrer Authenticator-App
code-from-your-app-hint = Sechs Ziffern, die sich jede halbe Minute ändern.
use-a-passkey-or-security-key = Einen Passkey oder Sicherheitsschlüssel benutzen
use-a-recovery-code = Einen Wiederherstellungscode benutzen
recovery-code = Wiederherstellungscode
recovery-code-hint = Einer von denen, die Sie beim Einrichten gespeichert haben. Jeder gilt einmal.
confirm-in-another-way = Auf andere Weise bestätigen
do-not-ask-again = In diesem Browser nicht mehr danach fragen
do-not-ask-again-hint = Für { $length }. Nur auf einem Gerät, das Ihnen allein gehört.
confirm-with-your-key = Mit Ihrem Schlüssel bestätigen
browser-ran-no-script = Ihr Browser hat kein JavaScript ausgeführt, das dafür nötig ist
key-invalid = Das hat nicht geklappt. Versuchen Sie es noch einmal oder mit einem anderen
key-ready = Halten Sie Ihren Passkey oder Sicherheitsschlüssel bereit. Ihr Browser sagt Ihnen, was zu tun ist.
key-needs-script = <strong>Dafür ist JavaScript nötig.</strong> Damit spricht Ihr Browser mit Ihrem Schlüssel. Schalten Sie es für diese Seite ein, oder wählen Sie einen anderen Weg.
key-failed = Das hat nicht geklappt: Es wurde abgebrochen oder dauerte zu lange. Sie können es noch einmal versuchen.
key-unsupported = Dieser Browser kennt keine Passkeys und Sicherheitsschlüssel. Wählen Sie einen anderen Weg.
use-your-key = Ihren Schlüssel benutzen
choose-another-way = Einen anderen Weg wählen

# Getting back in.
get-back-into-your-account = Zurück in Ihr Konto
password-wrong = Das Passwort stimmt nicht. Prüfen Sie es und versuchen Sie es noch einmal
recover-lead = Dieser Link lässt Sie einmal ohne Authenticator-App, Passkey oder Wiederherstellungscode ein. Richten Sie dann neue ein, und entfernen Sie, was Sie verloren haben.
reset-lead = Geben Sie eine E-Mail-Adresse ein, die zu Ihrem Konto gehört. Wir schicken Ihnen einen Link, mit dem Sie ein neues Passwort wählen.
no-link-was-sent = Es wurde kein Link geschickt
enter-an-email = Geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com
too-many-links = Es wurden zu viele Links angefordert. Warten Sie { $wait } und versuchen Sie es dann noch einmal
email-address = E-Mail-Adresse
send-me-a-link = Link schicken
no-address-ask = Gehört keine Adresse zu Ihrem Konto? Wenden Sie sich an die Betreiber von <bdi>{ $server }</bdi>.
reset-impossible = Dieser Server verschickt keine Links, mit denen man wieder hineinkommt.
reset-impossible-ask = Wenden Sie sich an die Betreiber von <bdi>{ $server }</bdi>: Sie können Ihnen ein neues Passwort geben.
back-to-the-sign-in = Zurück zur Anmeldung
look-at-your-mail = Sehen Sie in Ihre E-Mails
reset-sent = Wenn die Adresse zu einem Konto hier gehört, ist eine E-Mail mit einem Link unterwegs. Der Link gilt zehn Minuten lang und einmal.
reset-no-mail = Keine E-Mail? Sehen Sie bei den unerwünschten nach. Vielleicht gehört eine andere Adresse zu Ihrem Konto: <a href="{ $url }">Versuchen Sie es mit dieser</a>.
you-can-close-this-page = Sie können diese Seite schließen.
choose-a-new-password = Neues Passwort wählen
for-account = für <bdi class="mxid">{ $mxid }</bdi>
password-not-changed = Ihr Passwort ist nicht geändert
sign-out-devices-too = Auch meine Apps und Geräte abmelden
sign-out-devices-too-hint = Browser werden in jedem Fall abgemeldet. Tun Sie das, wenn jemand anders Zugang gehabt haben könnte: Auf Geräten, die abgemeldet werden, können die einzigen Schlüssel zu älteren verschlüsselten Nachrichten liegen.
set-password-and-sign-in = Passwort setzen und anmelden

# After signing out.
signed-out = Abgemeldet
you-are-signed-out = Sie sind abgemeldet
signed-out-of-browser = Dieser Browser hat keinen Zugang mehr zu Ihrem Konto bei <bdi>{ $server }</bdi>.
devices-stay-signed-in = Apps und Geräte, die Sie angemeldet haben, bleiben angemeldet. Um sie abzumelden, melden Sie sich an und öffnen Sie „Sitzungen“.
