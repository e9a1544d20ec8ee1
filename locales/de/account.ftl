# The list of sections.
account = Konto
sign-in-and-security = Anmeldung und Sicherheit
email-addresses = E-Mail-Adressen
sessions = Sitzungen
activity = Aktivität

# The first page.
your-account = Ihr Konto
home-homeserver-unreachable = <strong>Der Chat-Server antwortet gerade nicht.</strong> Was er über Sie weiß, fehlt hier vielleicht. Versuchen Sie es in ein paar Minuten noch einmal.
name = Name
no-name-set = Keiner gewählt
matrix-id = Matrix-ID
role = Rolle
administrator = Administrator
your-apps-stay-signed-in = Ihre Apps und Geräte bleiben angemeldet.
sign-out-this-browser = Diesen Browser abmelden
deactivate-your-account = Ihr Konto deaktivieren
signs-you-out-for-good = Meldet Sie überall ab, für immer.

# What happened.
activity-lead = Was in den letzten { $days } Tagen mit Ihrem Konto geschah. Wenn etwas nicht von Ihnen war, ändern Sie Ihr Passwort und melden Sie ab, was Sie nicht kennen.
nothing-has-happened = Noch ist nichts geschehen.
what-appears-in-activity = Hier erscheinen Anmeldungen und Änderungen daran, wie Sie sich anmelden.
event-signed-in = Angemeldet
event-password-changed = Passwort geändert
event-email-added = E-Mail-Adresse hinzugefügt
event-email-removed = E-Mail-Adresse entfernt
event-passkey-added = Passkey oder Sicherheitsschlüssel hinzugefügt
event-passkey-removed = Passkey oder Sicherheitsschlüssel entfernt
event-authenticator-added = Authenticator-App eingerichtet
event-authenticator-removed = Authenticator-App entfernt
event-recovery-codes-made = Neue Wiederherstellungscodes erstellt
event-recovery-code-used = Wiederherstellungscode benutzt
event-browser-remembered = Browser gemerkt, in dem nicht nach Ihrem zweiten Faktor gefragt wird
event-factors-removed = Zweite Faktoren entfernt
event-recovery-link-made = Wiederherstellungslink erstellt
event-recovery-link-used = Wiederherstellungslink benutzt
event-sessions-ended = Sitzungen abgemeldet
event-cross-signing-reset = App erlaubt, Ihre Cross-Signing-Schlüssel zurückzusetzen
event-unknown = Etwas, das diese Version des Servers nicht kennt
by-an-administrator = von einem Administrator
pages-of-activity = Seiten der Aktivität
earlier-activity = Frühere Aktivität

# Sessions.
first-page = Erste Seite
from-address = von { $address }
from-an-unknown-place = von einem unbekannten Ort
sessions-lead = Alles, was bei Ihrem Konto angemeldet ist. Wenn Sie etwas nicht kennen, melden Sie es ab.
ended-browser = Der Browser ist abgemeldet.
ended-device = Das Gerät ist abgemeldet.
ended-already = Es war schon abgemeldet.
ended-others = { $count ->
    [0] Sonst war nichts angemeldet.
    [one] 1 andere Sitzung ist abgemeldet.
   *[other] { $count } andere Sitzungen sind abgemeldet.
}
nothing-is-signed-in = Nichts ist angemeldet.
what-appears-in-sessions = Wenn Sie sich mit einer App oder einem Browser anmelden, erscheint das hier, und Sie können es von hier aus abmelden.
in-use = In Benutzung
unused-for-ninety-days = Seit 90 Tagen nicht benutzt
pages-of-sessions = Seiten der Sitzungen
more-sessions = Weitere Sitzungen
sign-out-everywhere-else = Überall sonst abmelden
sign-out-everywhere-else-why = Beendet jede Sitzung außer dieser. Tun Sie das, wenn Sie glauben, dass jemand anders Zugang hatte.
this-one = Diese hier
name-not-verified = Name nicht geprüft
signed-in-with-older-login = Auf ältere Art angemeldet
last-seen-unknown = Zuletzt gesehen: unbekannt
details-of = Einzelheiten<span class="unseen"> zu { $session }</span>
more-about = Mehr<span class="unseen"> zu { $session }</span>
sign-out-this-device = Dieses Gerät abmelden
session = Sitzung
device-has-new-name = Das Gerät hat seinen neuen Namen.
name-the-device = Dem Gerät einen Namen geben
new-name = Neuer Name
device-name-hint = Unter ihm führen Ihre Apps das Gerät auf, und die, mit denen Sie schreiben, können ihn sehen.
enter-a-name = Geben Sie einen Namen ein
save-the-name = Namen speichern
do-this-when-not-recognised = Tun Sie das, wenn Sie es nicht mehr benutzen oder nicht kennen.

# Ending sessions.
sign-out-this-browser-heading = Diesen Browser abmelden?
sign-out-another-browser-heading = Einen anderen Browser abmelden?
sign-out-this-device-heading = Dieses Gerät abmelden?
browser = Browser
device = Gerät
may-lose-messages-device = <strong>Verschlüsselte Nachrichten können verloren gehen.</strong> Wenn das Ihr einziges Gerät ist und Sie seine Schlüssel nicht gesichert haben, können Sie Ihre älteren verschlüsselten Nachrichten nicht mehr lesen.
set-up-backup-device = Wenn Sie das Gerät noch haben, richten Sie zuerst in seiner App die Schlüsselsicherung ein.
sign-in-again-here = Um Ihr Konto hier zu sehen, müssen Sie sich dann neu anmelden. Ihre Apps und Geräte bleiben angemeldet.
whoever-uses-it-signs-in-again = Wer ihn benutzt, muss sich neu anmelden. Sonst geht nichts verloren.
keep-it-signed-in = Angemeldet lassen
sign-out-everywhere-else-heading = Überall sonst abmelden?
ends-other-sessions = { $count ->
    [one] Das beendet 1 andere Sitzung. Nur dieser Browser bleibt angemeldet.
   *[other] Das beendet { $count } andere Sitzungen. Nur dieser Browser bleibt angemeldet.
}
may-lose-messages-devices = <strong>Verschlüsselte Nachrichten können verloren gehen.</strong> { $count ->
    [one] 1 davon ist ein Gerät, auf dem Schlüssel zu Ihren verschlüsselten Nachrichten liegen können.
   *[other] { $count } davon sind Geräte, auf denen Schlüssel zu Ihren verschlüsselten Nachrichten liegen können.
} Ohne eine Sicherung der Schlüssel können Sie ältere Nachrichten nicht mehr lesen.
set-up-backup-devices = Wenn Sie eines Ihrer Geräte noch haben, richten Sie zuerst in seiner App die Schlüsselsicherung ein.
keep-them-signed-in = Angemeldet lassen

# Pages that say the same.
back = Zurück
keep-it = Behalten

# Authenticator apps.
set-up-an-app = Eine Authenticator-App einrichten
app-not-set-up-yet = Die App ist noch nicht eingerichtet
enrolment-wrong-code = Der Code stimmt nicht. Warten Sie auf den nächsten und geben Sie den ein. Wenn es wieder geschieht, prüfen Sie die Uhr Ihres Geräts
enrolment-expired = Diese Seite war zu lange offen, oder Ihr Browser behält keine Cookies. Scannen Sie das neue Bild unten
second-factor-required = <strong>Hier ist ein zweiter Faktor vorgeschrieben.</strong> Richten Sie einen ein, um fortzufahren. Von da an melden Sie sich mit Ihrem Passwort und einem Code der App an.
scan-this-picture = Scannen Sie dieses Bild mit einer Authenticator-App auf Ihrem Telefon oder mit einem Passwortmanager.
qr-code-for-your-app = QR-Code für Ihre Authenticator-App. Der Schlüssel darunter sagt dasselbe.
enter-the-key-by-hand = Den Schlüssel von Hand eingeben
time-based-six-digits = Zeitbasiert, sechs Ziffern, 30 Sekunden.
code-that-the-app-shows = Code, den die App zeigt
enrolment-code-hint = Sechs Ziffern. Sie zeigen, dass die App funktioniert.
name-of-the-app = Name der App <span class="muted">(freiwillig)</span>
name-of-the-app-hint = Damit Sie sie später erkennen, zum Beispiel „Telefon“.
set-up-the-app = Die App einrichten
cancel = Abbrechen
remove-an-app = Eine Authenticator-App entfernen
remove-this-app = Diese Authenticator-App entfernen?
set-up-at = Eingerichtet
last-app-warning = <strong>Ihr Passwort wird zum Anmelden genügen.</strong> Wer es erfährt, kann Ihr Konto benutzen. Mit der App gehen die Wiederherstellungscodes.
app-codes-no-longer-work = Ihre Codes funktionieren hier dann nicht mehr.
remove-the-app = Die App entfernen

# E-mail addresses.
emails-lead = Wir schreiben Ihnen, wenn mit Ihrem Konto etwas geschieht und wenn Sie sich nicht anmelden können.
email-belongs-to-you-now = Die Adresse gehört jetzt zu Ihrem Konto.
email-is-removed = Die Adresse ist entfernt.
email-code-over = Dieser Code wurde schon benutzt oder gilt nicht mehr. Fügen Sie die Adresse noch einmal hinzu, um einen neuen zu bekommen.
email-taken = Diese Adresse gehört zu einem anderen Konto. Entfernen Sie sie zuerst dort.
no-address-yet = Noch keine Adresse.
what-an-address-is-for = Mit einer Adresse hier kommen Sie wieder hinein, wenn Sie Ihr Passwort vergessen.
not-confirmed = Nicht bestätigt
confirm-address = Bestätigen<span class="unseen"> { $address }</span>
remove-named = Entfernen<span class="unseen"> { $name }</span>
add-an-address = Eine Adresse hinzufügen
server-sends-no-mail = Dieser Server verschickt keine E-Mails, darum können Sie hier keine Adresse hinzufügen. Wenden Sie sich an seine Betreiber.
add-an-email = Eine E-Mail-Adresse hinzufügen
add-an-email-lead = Wir schicken einen Code dorthin, um zu sehen, dass sie Ihnen gehört.
no-code-was-sent = Es wurde kein Code geschickt
email-not-allowed = Nehmen Sie eine andere Adresse. Dieser Server nimmt diese nicht an
too-many-codes = Es wurden zu viele Codes geschickt. Warten Sie { $wait } und versuchen Sie es dann noch einmal
send-a-code = Code schicken
enter-the-code = Geben Sie den Code ein
we-sent-a-mail = Wir haben eine E-Mail an { $address } geschickt. Darin stehen ein Code und ein Link, den Sie stattdessen benutzen können.
address-not-confirmed-yet = Die Adresse ist noch nicht bestätigt
enter-the-code-of-the-last-mail = Geben Sie den Code aus der letzten E-Mail ein, die wir geschickt haben
email-code-hint = Sechs Ziffern, zehn Minuten gültig.
confirm-the-address = Adresse bestätigen
no-mail-look = Keine E-Mail? Sehen Sie bei den unerwünschten nach, und prüfen Sie die Adresse.
confirm-your-email = Ihre E-Mail-Adresse bestätigen
add-this-address-heading = Diese Adresse zum Konto hinzufügen?
add-only-to-your-account = Machen Sie nur weiter, wenn das Konto Ihres ist: Wer das Konto hat, benutzt von da an die Adresse.
add-the-address = Adresse hinzufügen
email-confirmed = E-Mail-Adresse bestätigt
your-address-is-confirmed = Ihre Adresse ist bestätigt
it-belongs-to-your-account = Sie gehört jetzt zu Ihrem Konto.
remove-an-email = Eine E-Mail-Adresse entfernen
remove-this-address = Diese Adresse entfernen?
last-address-warning = <strong>Es ist die einzige, an die wir schreiben können.</strong> Ohne sie kommen Sie nicht mehr hinein, wenn Sie Ihr Passwort vergessen, und niemand sagt Ihnen, wenn jemand anders hineinkommt.
we-no-longer-write-there = Wir schreiben dann nicht mehr dorthin. Sie können sie später wieder hinzufügen.
remove-the-address = Adresse entfernen
link-no-longer-works = Dieser Link funktioniert nicht mehr
useless-link-why = Er wurde schon benutzt, ein neuerer wurde geschickt, oder zehn Minuten sind vorbei. Falls Sie ihn gerade benutzt haben, hat das geklappt.
get-a-new-one = Einen neuen anfordern

# Encryption identity, deactivation, password.
reset-identity = Ihre Verschlüsselungsidentität zurücksetzen
reset-identity-heading = Ihre Verschlüsselungsidentität zurücksetzen?
reset-identity-lead = Ihre App fragt danach, wenn nichts anderes zeigen kann, dass sie Ihre ist. Machen Sie nur weiter, wenn Sie das dort selbst begonnen haben.
reset-identity-warning = <strong>Verschlüsselte Nachrichten können verloren gehen.</strong> Ohne ein anderes Gerät oder einen Wiederherstellungsschlüssel sind ältere nie wieder zu lesen.
reset-identity-instead = Wenn Sie eines davon noch haben, gehen Sie zurück und benutzen Sie das.
reset-identity-contacts = Allen, mit denen Sie schreiben, wird gesagt, dass sich Ihre Identität geändert hat.
reset-identity-verify = Sie müssen Ihre Geräte und Kontakte neu verifizieren.
reset-identity-devices = { $count ->
    [one] 1 Gerät ist bei Ihrem Konto angemeldet. Zehn Minuten lang kann es neue Schlüssel setzen. <a href="{ $url }">Sehen Sie zuerst Ihre Sitzungen an</a>, und melden Sie ab, was Sie nicht kennen.
   *[other] { $count } Geräte sind bei Ihrem Konto angemeldet. Zehn Minuten lang kann jedes davon neue Schlüssel setzen. <a href="{ $url }">Sehen Sie zuerst Ihre Sitzungen an</a>, und melden Sie ab, was Sie nicht kennen.
}
allow-the-reset = Zurücksetzen erlauben
keep-my-identity = Meine Identität behalten
reset-allowed = Zurücksetzen erlaubt
go-back-to-your-app = Gehen Sie zurück zu Ihrer App
reset-allowed-lead = Sie kann jetzt Ihre Verschlüsselungsidentität zurücksetzen und macht von selbst weiter. Sie haben zehn Minuten.
reset-allowed-after = Danach müssten Sie es noch einmal erlauben. Sie können diese Seite schließen.
deactivate-heading = Ihr Konto deaktivieren?
account-not-deactivated = Ihr Konto ist nicht deaktiviert
enter-the-username = Geben Sie den Benutzernamen dieses Kontos ein
deactivate-warning = <strong>Sie können das nicht rückgängig machen.</strong> Das können allenfalls die Betreiber von <bdi>{ $server }</bdi>.
deactivate-sign-out = Sie werden überall sofort abgemeldet.
deactivate-rooms = Sie verlassen alle Räume und Unterhaltungen.
deactivate-messages = Verschlüsselte Nachrichten, die nur Ihre Geräte öffnen können, sind verloren.
deactivate-name = Niemand kann je wieder Ihren Namen nehmen, auch Sie nicht.
also-hide-what-i-wrote = Auch verbergen, was ich geschrieben habe
also-hide-hint = Wer Ihre Nachrichten gesehen hat, behält sie. Wer später dazukommt, sieht sie nicht. Auch dieser Server vergisst Ihre Adressen, wie Sie sich angemeldet haben und was geschehen ist. Ohne das bleiben Ihre Nachrichten, wie sie sind.
your-username = Ihr Benutzername
enter-it-to-show = Geben Sie ihn ein, um zu zeigen, dass Sie dieses Konto meinen.
deactivate-my-account = Mein Konto deaktivieren
keep-my-account = Mein Konto behalten
account-deactivated = Konto deaktiviert
your-account-is-deactivated = Ihr Konto ist deaktiviert
deactivated-lead = Sie sind überall abgemeldet. Es kann ein paar Minuten dauern, bis Sie alle Räume verlassen haben.
change-your-password = Ihr Passwort ändern
also-sign-out-everywhere-else = Auch überall sonst abmelden
also-sign-out-hint = Tun Sie das, wenn jemand anders Zugang gehabt haben könnte. Auf Geräten, die abgemeldet werden, können die einzigen Schlüssel zu älteren verschlüsselten Nachrichten liegen.
change-the-password = Passwort ändern
password-changed = Passwort geändert
your-password-is-changed = Ihr Passwort ist geändert
sign-in-with-the-new-one = Melden Sie sich von jetzt an mit dem neuen an.

# Passkeys and security keys.
add-a-passkey = Einen Passkey hinzufügen
add-a-security-key = Einen Sicherheitsschlüssel hinzufügen
nothing-was-added = Es wurde nichts hinzugefügt
page-too-old = Diese Seite war zu lange offen. Versuchen Sie es noch einmal
not-added-invalid = Ihr Browser hat mit etwas geantwortet, das wir nicht annehmen können. Versuchen Sie es noch einmal oder mit einem anderen Gerät
not-added-already = Er ist schon bei einem Konto hinzugefügt
not-added-too-many = Ihr Konto hat so viele, wie es haben kann. Entfernen Sie einen, den Sie nicht mehr benutzen
what-a-passkey-is = Ihr Gerät bewahrt den Passkey auf und öffnet ihn mit Ihrem Fingerabdruck, Ihrem Gesicht oder einer PIN. Mit ihm melden Sie sich ohne Passwort an.
what-a-security-key-is = Ein Sicherheitsschlüssel ist ein kleines Gerät, das Sie einstecken oder an Ihr Telefon halten. Er bestätigt nach der Frage nach Ihrem Passwort, dass Sie es sind; allein meldet er Sie nicht an.
device-needs-script = <strong>Dafür ist JavaScript nötig.</strong> Damit spricht Ihr Browser mit Ihrem Gerät. Schalten Sie es für diese Seite ein, oder lassen Sie alles, wie es ist: Alles andere in Ihrem Konto funktioniert ohne.
not-added-failed = Es wurde nichts hinzugefügt: Es wurde abgebrochen oder dauerte zu lange. Sie können es noch einmal versuchen.
not-added-known = Es wurde nichts hinzugefügt: Dieses Gerät oder dieser Schlüssel ist bei Ihrem Konto schon hinzugefügt.
not-added-unsupported = Dieser Browser kennt keine Passkeys. Versuchen Sie es mit einem neueren.
create-the-passkey = Passkey erstellen
use-the-security-key = Sicherheitsschlüssel benutzen
leave-it = Lassen
passkey = Passkey
security-key = Sicherheitsschlüssel
passkey-added = Er ist hinzugefügt. Melden Sie sich nächstes Mal mit ihm an: Ein Passwort ist nicht nötig. Geben Sie ihm einen Namen, an dem Sie ihn später erkennen.
security-key-added = Er ist hinzugefügt. Geben Sie ihm einen Namen, an dem Sie ihn später erkennen.
it-has-its-new-name = Er hat seinen neuen Namen.
kind-passkey = Passkey: meldet Sie allein an
kind-security-key = Sicherheitsschlüssel: bestätigt eine Anmeldung
where-it-is = Wo er ist
on-all-your-devices = { $provider }, auf allen Ihren Geräten, die das benutzen
made-for = Gemacht für
made-for-host = <bdi class="host">{ $host }</bdi>, wo Sie sich nicht mehr anmelden können
added = Hinzugefügt
last-used = Zuletzt benutzt
not-yet = Noch nie
passkey-name-hint = Nur Sie sehen ihn. Ihr Gerät nennt ihn vielleicht anders.
remove = Entfernen
remove-passkey-when = Tun Sie das, wenn Sie ihn nicht mehr haben oder nicht kennen.
remove-it = Entfernen
remove-the-passkey = Passkey entfernen
remove-the-security-key = Sicherheitsschlüssel entfernen
remove-this-passkey = Diesen Passkey entfernen?
remove-this-security-key = Diesen Sicherheitsschlüssel entfernen?
only-way-in-warning = <strong>Sie könnten sich nicht mehr anmelden.</strong> Ihr Konto hat kein Passwort und nichts anderes, womit Sie sich anmelden. Fügen Sie zuerst einen anderen Passkey hinzu.
last-second-step-warning = <strong>Nur noch Ihr Passwort würde Ihr Konto schützen.</strong> Wer es erfährt, könnte sich anmelden.
passkey-lets-nobody-in = Er lässt dann niemanden mehr ein. Angemeldete Geräte bleiben angemeldet.
add-another-passkey = Einen anderen Passkey hinzufügen
passkeys-and-security-keys = Passkeys und Sicherheitsschlüssel
what-passkeys-are-for = Mit einem Passkey melden Sie sich mit Ihrem Fingerabdruck, Ihrem Gesicht oder einer PIN an, ohne Passwort, und niemand kann ihn Ihnen ablisten. Alle, die Sie hinzufügen, erscheinen hier.
second-step-only = Nur zweiter Schritt
passkey-no-longer-works = <strong>Er funktioniert nicht mehr</strong>: Er wurde für <bdi class="host">{ $host }</bdi> gemacht. Fügen Sie einen neuen hinzu und entfernen Sie diesen.
not-used-yet = Noch nicht benutzt
change-named = Ändern<span class="unseen">: { $name }</span>
passkeys-cannot-be-used = Passkeys können hier nicht benutzt werden: Browser bewahren sie für Websites mit einem Namen auf, und dieser Server wird über eine bloße Adresse erreicht.

# Sign-in and security.
security-app-added = Die Authenticator-App ist eingerichtet. Beim Anmelden werden Sie nach einem Code daraus gefragt.
security-app-removed = Die Authenticator-App ist entfernt.
security-passkey-removed = Er ist entfernt und lässt niemanden mehr ein. Ihr Gerät führt ihn vielleicht noch auf; dort können Sie ihn löschen.
security-last-factor = Es wurde nichts entfernt: Hier ist ein zweiter Faktor vorgeschrieben, und das ist Ihr letzter. Richten Sie zuerst einen anderen ein.
security-too-many-apps = Sie haben so viele Authenticator-Apps, wie Sie haben können. Entfernen Sie zuerst eine.
security-browser-forgotten = In diesem Browser werden Sie wieder nach Ihrem zweiten Faktor gefragt.
security-recovered = Sie sind drin. Richten Sie jetzt ein, womit Sie sich anmelden, und entfernen Sie, was Sie verloren haben.
you-can-sign-in-with-a-password = Sie können sich mit einem Passwort anmelden.
no-password = Dieses Konto hat kein Passwort.
set-a-password = Ein Passwort setzen
authenticator-apps = Authenticator-Apps
what-apps-are-for = Eine App auf Ihrem Telefon zeigt einen Code, den Sie nach Ihrem Passwort eingeben. Alle, die Sie einrichten, erscheinen hier.
app-set-up-and-used = Eingerichtet: { $created }, zuletzt benutzt: { $used }
recovery-codes = Wiederherstellungscodes
what-recovery-codes-are-for = Codes für den Tag, an dem Sie Ihre Authenticator-App oder Ihren Passkey verlieren. Sie können sie erstellen, sobald Sie eines davon eingerichtet haben.
no-recovery-codes = <strong>Sie haben keine.</strong> Wenn Sie Ihre Authenticator-App oder Ihren Passkey verlieren, kommen Sie allein nicht mehr hinein.
recovery-codes-left = { $count ->
    [one] Sie haben noch 1 Code.
   *[other] Sie haben noch { $count } Codes.
}
make-recovery-codes = Wiederherstellungscodes erstellen
make-new-recovery-codes = Neue Wiederherstellungscodes erstellen
remembered-browsers = Gemerkte Browser
what-remembered-browsers-are = Hier erscheinen Browser, in denen Sie nicht nach Ihrem zweiten Faktor gefragt werden. Das können Sie beim Anmelden wählen.
password-is-enough-in = In diesen Browsern genügt Ihr Passwort zum Anmelden.
since-until = Seit { $since }, bis { $until }
forget-named = Vergessen<span class="unseen">: { $name }</span>

# Recovery codes.
offer-codes-lead = Wenn Sie Ihr Telefon oder Ihren Schlüssel verlieren, lässt Sie ein Wiederherstellungscode ein. Jeder gilt einmal, zusammen mit Ihrem Passwort.
offer-codes-keep = Bewahren Sie sie auf, wo Sie sie ohne Ihr Telefon finden: auf Papier oder in einem Passwortmanager.
codes-left-will-be-replaced = { $count ->
    [one] <strong>Sie haben noch 1 Code.</strong> Neue treten an seine Stelle: Der alte funktioniert dann nicht mehr.
   *[other] <strong>Sie haben noch { $count } Codes.</strong> Neue treten an ihre Stelle: Die alten funktionieren dann nicht mehr.
}
show-new-recovery-codes = Neue Wiederherstellungscodes zeigen
keep-the-old-ones = Die alten behalten
not-now = Jetzt nicht
your-recovery-codes = Ihre Wiederherstellungscodes
codes-for-account = Für <bdi class="mxid">{ $mxid }</bdi>. Jeder gilt einmal.
save-them-now = <strong>Speichern Sie sie jetzt.</strong> Sie werden nicht noch einmal gezeigt.
download = Herunterladen
print = Drucken
i-have-saved-them = Ich habe sie gespeichert
recovery-codes-of = Wiederherstellungscodes von { $mxid }
authenticator-app = Authenticator-App
