# Sections of the account.
section-applications = Apps mit Zugriff
section-tokens = Zugriffstoken
section-export = Ihre Daten

# The name that a person is shown by.
profile-title = Ihr Name
profile-lead = Alle, mit denen Sie sprechen, sehen ihn, in jedem Raum, in dem Sie sind.
profile-changed = Ihr Name ist geändert. Es kann einen Moment dauern, bis alle ihn sehen.
profile-removed = Ihr Name ist entfernt. Es kann einen Moment dauern, bis alle das sehen.
profile-not-changed = Ihr Name ist nicht geändert
profile-too-long = Verwenden Sie höchstens { $most } Zeichen
profile-unreachable = <strong>Der Chat-Server antwortet gerade nicht.</strong> Ihr jetziger Name ist hier nicht bekannt. Sie können einen anderen wählen: Er wird weitergegeben, sobald der Server antwortet.
profile-hint = Ihre Matrix-ID <bdi class="mxid">{ $mxid }</bdi> bleibt gleich. Lassen Sie das Feld leer, um keinen Namen zu haben.
profile-change = Namen ändern

# Apps with access.
applications-lead = Apps und Websites, die Ihr Konto benutzen können, oder denen Sie es erlaubt haben und die nicht noch einmal fragen müssen.
application-has-no-access-any-more = Die App hat keinen Zugriff mehr.
applications-none = Keine App hat Zugriff.
applications-none-hint = Wenn Sie sich mit einer App oder Website anmelden, erscheint sie hier, und Sie können ihr den Zugriff wieder nehmen.
application-sessions = { $count ->
    [0] Nicht angemeldet
    [one] 1 Sitzung
   *[other] { $count } Sitzungen
}
application-since = seit
application-last-seen = zuletzt gesehen
application-what-it-can-do = Was sie kann<span class="unseen">: { $app }</span>
application-show = Anzeigen<span class="unseen">: { $app }</span>
applications-pages = Seiten der Apps
applications-more = Weitere Apps
application-title = App mit Zugriff
application-access-since = Hat Zugriff seit
application-not-signed-in = Nicht angemeldet
application-client-id = Client-ID
application-home-page = Website der App
application-terms = Nutzungsbedingungen dieser App
application-policy = Wie sie mit Ihren Daten umgeht
application-allowed = Was Sie ihr erlaubt haben
application-allowed-since = Danach muss sie nicht noch einmal fragen, außer für ein neues Gerät. Sie haben es erlaubt am
application-is-trusted = Wer diesen Server betreibt, vertraut dieser App; Sie werden deshalb nie gefragt.
application-nothing-remembered = Nichts ist gespeichert. Sie werden beim nächsten Mal gefragt.
application-where-signed-in = Wo sie angemeldet ist
application-nowhere = Nirgends. Sie kann Ihr Konto gerade nicht erreichen.
application-device = Gerät <code>{ $id }</code>
application-no-device = Sitzung ohne Gerät
application-all-sessions = Alle Sitzungen
application-take-away = Zugriff entziehen
application-take-away-hint = Meldet sie überall ab und vergisst, was Sie ihr erlaubt haben.
end-application-title = Einer App den Zugriff entziehen
end-application-heading = Den Zugriff entziehen?
end-application-website = Website
end-application-sessions = { $count ->
    [0] Sie ist gerade nicht angemeldet.
    [one] Das beendet ihre Sitzung.
   *[other] Das beendet ihre { $count } Sitzungen.
}
end-application-trusted = Sie kann wieder benutzt werden, ohne Sie zu fragen, da die Betreiber dieses Servers ihr vertrauen.
end-application-anew = Um sie wieder zu benutzen, müssten Sie es neu erlauben.
end-application-devices = { $count ->
    [one] <strong>Verschlüsselte Nachrichten können verloren gehen.</strong> Sie ist ein Gerät, das Schlüssel zu Ihren verschlüsselten Nachrichten haben kann. Ohne Sicherung der Schlüssel können Sie ältere Nachrichten nicht mehr lesen.
   *[other] <strong>Verschlüsselte Nachrichten können verloren gehen.</strong> Es sind { $count } Geräte, die Schlüssel zu Ihren verschlüsselten Nachrichten haben können. Ohne Sicherung der Schlüssel können Sie ältere Nachrichten nicht mehr lesen.
}
end-application-back-up = Richten Sie zuerst in der App die Sicherung der Schlüssel ein.

# Access tokens for programs of the person’s own.
tokens-lead = Für eigene Programme, etwa Bots, die sich nicht wie Apps anmelden können. Wer ein Token hat, kann tun, wofür es gemacht ist.
token-is-revoked = Das Token gilt nicht mehr.
tokens-too-many = Sie haben { $most } Token, mehr können es nicht sein. Widerrufen Sie eines, das Sie nicht mehr brauchen.
tokens-none = Noch kein Token.
tokens-none-hint = Wenn Sie eines erstellen, erscheint es hier, mit dem, was es darf, und wann es zuletzt benutzt wurde.
token-last-used = Zuletzt benutzt
token-not-used-yet = Noch nicht benutzt
token-ends = Endet
token-revoke-named = Widerrufen<span class="unseen">: { $token }</span>
token-make = Token erstellen
token-for-a-program = Zugriffstoken für ein Programm von Ihnen
token-made-at = Erstellt
token-that-you-made = Zugriffstoken, das Sie erstellt haben
token-access-token = Zugriffstoken
token-revoke-this = Dieses Token widerrufen
token-revoke-heading = Dieses Zugriffstoken widerrufen?
token-revoke-means = Programme, die es benutzen, können Ihr Konto sofort nicht mehr erreichen.
token-revoke-device = Sein Gerät wird gelöscht, mit den verschlüsselten Nachrichten, die nur es lesen kann.
token-revoke = Token widerrufen
token-not-yet = Noch nicht
token-has-new-name = Das Token hat seinen neuen Namen.
token-name-it = Das Token benennen
token-only-you-see = Nur Sie sehen ihn.
token-revoke-section = Widerrufen
new-token-title = Zugriffstoken erstellen
new-token-lead = Für ein eigenes Programm. Es wird einmal angezeigt und gilt, bis es endet oder Sie es widerrufen.
new-token-not-made = Es wurde kein Token erstellt
new-token-name-missing = Geben Sie ihm einen Namen
new-token-name-too-long = Verwenden Sie höchstens { $most } Zeichen für den Namen
new-token-nothing = Wählen Sie, was das Token darf
new-token-administration-alone = Ein Token, das den Chat-Server verwaltet, muss auch Nachrichten lesen und senden können
new-token-device-alone = Ein Token, das ein Gerät ist, muss auch Nachrichten lesen und senden können
new-token-device-id-wrong = Verwenden Sie höchstens 255 Buchstaben, Ziffern und Zeichen ohne Leerzeichen für die Geräte-ID
new-token-span-wrong = Wählen Sie, wie lange das Token gilt
new-token-not-allowed = Dieser Server erlaubt Ihnen kein Token, das dies darf. Wählen Sie weniger, oder fragen Sie die Betreiber
new-token-device-in-use = Dieses Gerät ist angemeldet. Melden Sie es zuerst ab, oder verwenden Sie eine andere Geräte-ID
new-token-busy = Dieses Gerät wird gerade an- oder abgemeldet. Versuchen Sie es gleich noch einmal
new-token-device-refused = Der Chat-Server nimmt diese Geräte-ID nicht an. Verwenden Sie eine andere
new-token-name = Name des Tokens
new-token-name-hint = Sagt Ihnen später, für welches Programm es ist.
new-token-may = Was es darf
new-token-identity = Wissen, welches Konto Ihres ist, Ihren Namen und Ihre E-Mail-Adresse
new-token-device = Gerät des Tokens
new-token-make-device = Zu einem Ihrer Geräte machen
new-token-device-hint = Ein Programm braucht ein Gerät, um verschlüsselte Nachrichten zu lesen.
new-token-device-id = Geräte-ID <span class="muted">(freiwillig)</span>
new-token-device-id-hint = Lassen Sie sie leer, um eine neue zu bekommen.
new-token-works-for = Es gilt für
new-token-make = Das Token erstellen
new-token-back = Zurück zu den Token
token-made-title = Ihr Zugriffstoken
token-made-copy = <strong>Kopieren Sie es jetzt.</strong> Es wird nicht noch einmal angezeigt. Bewahren Sie es auf wie ein Passwort.
token-made-copied = Ich habe es kopiert

# The person’s data as a file.
export-lead = Alles, was dieser Server über Sie gespeichert hat, als Datei (JSON).
export-contents = Was darin steht
export-who = Wer Sie sind: Ihr Name, Ihre Matrix-ID, Ihre E-Mail-Adressen
export-factors = Wie Sie sich anmelden: wie Ihre Passkeys, Sicherheitsschlüssel und Authenticator-Apps heißen und wann Sie sie benutzt haben
export-sessions = Wo Sie angemeldet sind und in den letzten 30 Tagen waren
export-consents = Was Sie Apps erlaubt haben, und Ihre Zugriffstoken
export-activity = Was mit Ihrem Konto geschehen ist
export-not = Nichts darin erlaubt es jemandem, sich anzumelden. Ihre Nachrichten und Räume stehen nicht darin: Sie sind auf dem Chat-Server, und Ihre App kann sie exportieren.
export-download = Daten herunterladen

# Looking for sessions.
sessions-search-label = App, Gerät oder Adresse
sessions-search = Suchen
sessions-no-match = <strong>Nichts passt zu „<bdi>{ $text }</bdi>“.</strong>
sessions-no-match-yet = <strong>Bisher passt nichts zu „<bdi>{ $text }</bdi>“.</strong>
sessions-only-matches = Nur was zu „<bdi>{ $text }</bdi>“ passt.
sessions-show-all = Alle Sitzungen anzeigen
sessions-used-later = Später benutzte Sitzungen
session-last-seen-from = Zuletzt gesehen von

# What happened to the account.
event-name-changed = Name geändert
event-token-made = Zugriffstoken erstellt
event-token-revoked = Zugriffstoken widerrufen
event-application-removed = App abgemeldet und ihre Erlaubnisse vergessen
event-data-exported = Ihre Daten heruntergeladen

# Mails.
mail-token-made = Für Ihr Konto wurde ein Zugriffstoken erstellt. Wer es hat, kann mit Ihrem Konto tun, wofür es gemacht ist.
mail-data-exported = Alles, was der Server über Ihr Konto weiß, wurde als Datei heruntergeladen.
mail-subject-token-made = Für Ihr Konto bei { $service } wurde ein Zugriffstoken erstellt
mail-subject-data-exported = Die Daten Ihres Kontos bei { $service } wurden heruntergeladen

# Another factor than an app, and another name for an app.
enrol-something-else = Stattdessen etwas anderes einrichten
enrol-a-passkey = Einen Passkey
enrol-a-security-key = Einen Sicherheitsschlüssel
rename-app-named = Umbenennen<span class="unseen">: { $app }</span>
rename-app-title = Die App umbenennen
app-has-new-name = Die Authenticator-App hat ihren neuen Namen.
