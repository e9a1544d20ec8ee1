# The list of sections.
account = Compte
sign-in-and-security = Connexion et sécurité
email-addresses = Adresses e-mail
sessions = Sessions
activity = Activité

# The first page.
your-account = Votre compte
home-homeserver-unreachable = <strong>Le serveur de discussion ne répond pas pour le moment.</strong> Ce qu’il sait de vous manque peut-être ici. Réessayez dans quelques minutes.
name = Nom
no-name-set = Aucun
matrix-id = Identifiant Matrix
role = Rôle
administrator = Administrateur
your-apps-stay-signed-in = Vos applications et appareils restent connectés.
sign-out-this-browser = Déconnecter ce navigateur
deactivate-your-account = Désactiver votre compte
signs-you-out-for-good = Vous déconnecte partout, définitivement.

# What happened.
activity-lead = Ce qui est arrivé à votre compte ces { $days } derniers jours. Si quelque chose ne vient pas de vous, changez votre mot de passe et déconnectez ce que vous ne reconnaissez pas.
nothing-has-happened = Rien n’est encore arrivé.
what-appears-in-activity = Les connexions apparaissent ici, ainsi que les changements dans votre manière de vous connecter.
event-signed-in = Connexion
event-password-changed = Mot de passe changé
event-email-added = Adresse e-mail ajoutée
event-email-removed = Adresse e-mail retirée
event-passkey-added = Clé d’accès ou de sécurité ajoutée
event-passkey-removed = Clé d’accès ou de sécurité retirée
event-authenticator-added = Application d’authentification configurée
event-authenticator-removed = Application d’authentification retirée
event-recovery-codes-made = Nouveaux codes de récupération créés
event-recovery-code-used = Code de récupération utilisé
event-browser-remembered = Navigateur mémorisé, où votre second facteur n’est pas demandé
event-factors-removed = Seconds facteurs retirés
event-recovery-link-made = Lien de récupération créé
event-recovery-link-used = Lien de récupération utilisé
event-sessions-ended = Sessions déconnectées
event-cross-signing-reset = Application autorisée à réinitialiser vos clés de signature croisée
event-unknown = Quelque chose que cette version du serveur ne connaît pas
by-an-administrator = par un administrateur
pages-of-activity = Pages d’activité
earlier-activity = Activité antérieure

# Sessions.
first-page = Première page
from-address = depuis { $address }
from-an-unknown-place = depuis un lieu inconnu
sessions-lead = Tout ce qui est connecté à votre compte. Si vous ne reconnaissez pas quelque chose, déconnectez-le.
ended-browser = Le navigateur est déconnecté.
ended-device = L’appareil est déconnecté.
ended-already = Il était déjà déconnecté.
ended-others = { $count ->
    [0] Rien d’autre n’était connecté.
    [one] 1 autre session est déconnectée.
   *[other] { $count } autres sessions sont déconnectées.
}
nothing-is-signed-in = Rien n’est connecté.
what-appears-in-sessions = Quand vous vous connectez avec une application ou un navigateur, cela apparaît ici, et vous pouvez le déconnecter d’ici.
in-use = Utilisées
unused-for-ninety-days = Inutilisées depuis 90 jours
pages-of-sessions = Pages de sessions
more-sessions = Plus de sessions
sign-out-everywhere-else = Se déconnecter partout ailleurs
sign-out-everywhere-else-why = Met fin à toutes les sessions sauf celle-ci. Faites-le si vous pensez que quelqu’un d’autre est entré.
this-one = Celle-ci
name-not-verified = Nom non vérifié
signed-in-with-older-login = Connectée par une ancienne méthode
last-seen-unknown = Dernière utilisation inconnue
details-of = Détails<span class="unseen"> de { $session }</span>
more-about = Plus<span class="unseen"> sur { $session }</span>
sign-out-this-device = Déconnecter cet appareil
session = Session
device-has-new-name = L’appareil a son nouveau nom.
name-the-device = Nommer l’appareil
new-name = Nouveau nom
device-name-hint = Vos applications désignent l’appareil par lui, et vos correspondants peuvent le voir.
enter-a-name = Saisissez un nom
save-the-name = Enregistrer le nom
do-this-when-not-recognised = Faites-le si vous ne l’utilisez plus, ou ne le reconnaissez pas.

# Ending sessions.
sign-out-this-browser-heading = Déconnecter ce navigateur ?
sign-out-another-browser-heading = Déconnecter un autre navigateur ?
sign-out-this-device-heading = Déconnecter cet appareil ?
browser = Navigateur
device = Appareil
may-lose-messages-device = <strong>Des messages chiffrés peuvent être perdus.</strong> Si c’est votre seul appareil et que ses clés ne sont pas sauvegardées, vous ne pourrez plus lire vos anciens messages chiffrés.
set-up-backup-device = Si vous avez encore l’appareil, activez d’abord la sauvegarde des clés dans son application.
sign-in-again-here = Vous devrez vous reconnecter pour voir votre compte ici. Vos applications et appareils restent connectés.
whoever-uses-it-signs-in-again = La personne qui l’utilise devra se reconnecter. Rien d’autre n’est perdu.
keep-it-signed-in = Le laisser connecté
sign-out-everywhere-else-heading = Se déconnecter partout ailleurs ?
ends-other-sessions = { $count ->
    [one] Cela met fin à { $count } autre session. Seul ce navigateur reste connecté.
   *[other] Cela met fin à { $count } autres sessions. Seul ce navigateur reste connecté.
}
may-lose-messages-devices = <strong>Des messages chiffrés peuvent être perdus.</strong> { $count ->
    [one] { $count } d’entre elles est un appareil qui détient peut-être des clés de vos messages chiffrés.
   *[other] { $count } d’entre elles sont des appareils qui détiennent peut-être des clés de vos messages chiffrés.
} Sans sauvegarde des clés, vous ne pourrez plus lire d’anciens messages.
set-up-backup-devices = Si vous avez encore l’un de vos appareils, activez d’abord la sauvegarde des clés dans son application.
keep-them-signed-in = Les laisser connectés

# Pages that say the same.
back = Retour
keep-it = Conserver

# Authenticator apps.
set-up-an-app = Configurer une application d’authentification
app-not-set-up-yet = L’application n’est pas encore configurée
enrolment-wrong-code = Le code n’est pas correct. Attendez le suivant et saisissez-le. Si cela se reproduit, vérifiez l’horloge de votre appareil
enrolment-expired = Cette page est restée ouverte trop longtemps, ou votre navigateur n’enregistre pas les cookies. Scannez la nouvelle image ci-dessous
second-factor-required = <strong>Un second facteur est exigé ici.</strong> Configurez-en un pour continuer. Vous vous connecterez ensuite avec votre mot de passe et un code de l’application.
scan-this-picture = Scannez cette image avec une application d’authentification sur votre téléphone, ou avec un gestionnaire de mots de passe.
qr-code-for-your-app = Code QR pour votre application d’authentification. La clé ci-dessous dit la même chose.
enter-the-key-by-hand = Saisir la clé à la main
time-based-six-digits = Basé sur le temps, six chiffres, 30 secondes.
code-that-the-app-shows = Code que l’application affiche
enrolment-code-hint = Six chiffres. Ils montrent que l’application fonctionne.
name-of-the-app = Nom de l’application <span class="muted">(facultatif)</span>
name-of-the-app-hint = Pour la reconnaître plus tard, par exemple « Téléphone ».
set-up-the-app = Configurer l’application
cancel = Annuler
remove-an-app = Retirer une application d’authentification
remove-this-app = Retirer cette application d’authentification ?
set-up-at = Configurée
last-app-warning = <strong>Votre mot de passe suffira pour se connecter.</strong> Quiconque l’apprend peut utiliser votre compte. Les codes de récupération partent avec l’application.
app-codes-no-longer-work = Ses codes ne fonctionneront plus ici.
remove-the-app = Retirer l’application

# E-mail addresses.
emails-lead = Nous vous écrivons quand quelque chose arrive à votre compte, et quand vous n’arrivez pas à vous connecter.
email-belongs-to-you-now = L’adresse appartient maintenant à votre compte.
email-is-removed = L’adresse est retirée.
email-code-over = Ce code a déjà été utilisé, ou n’est plus valable. Ajoutez de nouveau l’adresse pour en recevoir un autre.
email-taken = Cette adresse appartient à un autre compte. Retirez-la d’abord de celui-ci.
no-address-yet = Pas encore d’adresse.
what-an-address-is-for = Avec une adresse ici, vous pouvez retrouver l’accès si vous oubliez votre mot de passe.
not-confirmed = Non confirmée
confirm-address = Confirmer<span class="unseen"> { $address }</span>
remove-named = Retirer<span class="unseen"> { $name }</span>
add-an-address = Ajouter une adresse
server-sends-no-mail = Ce serveur n’envoie pas d’e-mails, vous ne pouvez donc pas ajouter d’adresse ici. Adressez-vous à ceux qui le gèrent.
add-an-email = Ajouter une adresse e-mail
add-an-email-lead = Nous y envoyons un code, pour voir qu’elle est à vous.
no-code-was-sent = Aucun code n’a été envoyé
email-not-allowed = Utilisez une autre adresse. Ce serveur n’accepte pas celle-ci
too-many-codes = Trop de codes ont été envoyés. Réessayez dans { $wait }
send-a-code = Envoyer un code
enter-the-code = Saisissez le code
we-sent-a-mail = Nous avons envoyé un e-mail à { $address }. Il contient un code, et un lien que vous pouvez utiliser à la place.
address-not-confirmed-yet = L’adresse n’est pas encore confirmée
enter-the-code-of-the-last-mail = Saisissez le code du dernier e-mail envoyé
email-code-hint = Six chiffres, valables dix minutes.
confirm-the-address = Confirmer l’adresse
no-mail-look = Pas d’e-mail ? Regardez parmi les indésirables, et vérifiez l’adresse.
confirm-your-email = Confirmer votre adresse e-mail
add-this-address-heading = Ajouter cette adresse au compte ?
add-only-to-your-account = Continuez seulement si le compte est à vous : celui qui possède le compte utilise désormais l’adresse.
add-the-address = Ajouter l’adresse
email-confirmed = Adresse e-mail confirmée
your-address-is-confirmed = Votre adresse est confirmée
it-belongs-to-your-account = Elle appartient maintenant à votre compte.
remove-an-email = Retirer une adresse e-mail
remove-this-address = Retirer cette adresse ?
last-address-warning = <strong>C’est la seule à laquelle nous pouvons écrire.</strong> Sans elle, vous ne pourrez pas retrouver l’accès si vous oubliez votre mot de passe, et personne ne vous dira si quelqu’un d’autre entre.
we-no-longer-write-there = Nous n’y écrirons plus. Vous pourrez la rajouter plus tard.
remove-the-address = Retirer l’adresse
link-no-longer-works = Ce lien ne fonctionne plus
useless-link-why = Il a déjà été utilisé, un plus récent a été envoyé, ou dix minutes ont passé. Si vous venez de l’utiliser, cela a fonctionné.
get-a-new-one = En obtenir un nouveau

# Encryption identity, deactivation, password.
reset-identity = Réinitialiser votre identité de chiffrement
reset-identity-heading = Réinitialiser votre identité de chiffrement ?
reset-identity-lead = Votre application le demande quand rien d’autre ne peut montrer qu’elle est à vous. Continuez seulement si vous l’y avez commencé vous-même.
reset-identity-warning = <strong>Vous pouvez perdre des messages chiffrés.</strong> Sans autre appareil ni clé de récupération, les anciens ne pourront plus jamais être lus.
reset-identity-instead = S’il vous reste l’un ou l’autre, revenez en arrière et utilisez-le.
reset-identity-contacts = Vos correspondants apprennent que votre identité a changé.
reset-identity-verify = Vous devez vérifier de nouveau vos appareils et contacts.
reset-identity-devices = { $count ->
    [one] { $count } appareil est connecté à votre compte. Pendant dix minutes, il peut définir de nouvelles clés. <a href="{ $url }">Regardez d’abord vos sessions</a>, et déconnectez ce que vous ne reconnaissez pas.
   *[other] { $count } appareils sont connectés à votre compte. Pendant dix minutes, n’importe lequel peut définir de nouvelles clés. <a href="{ $url }">Regardez d’abord vos sessions</a>, et déconnectez ce que vous ne reconnaissez pas.
}
allow-the-reset = Autoriser la réinitialisation
keep-my-identity = Garder mon identité
reset-allowed = Réinitialisation autorisée
go-back-to-your-app = Retournez à votre application
reset-allowed-lead = Elle peut maintenant réinitialiser votre identité de chiffrement, et continue d’elle-même. Vous avez dix minutes.
reset-allowed-after = Ensuite, vous devriez l’autoriser de nouveau. Vous pouvez fermer cette page.
deactivate-heading = Désactiver votre compte ?
account-not-deactivated = Votre compte n’est pas désactivé
enter-the-username = Saisissez le nom d’utilisateur de ce compte
deactivate-warning = <strong>Vous ne pouvez pas revenir en arrière.</strong> Seuls ceux qui gèrent <bdi>{ $server }</bdi> le pourront peut-être.
deactivate-sign-out = Vous êtes déconnecté partout, immédiatement.
deactivate-rooms = Vous quittez tous les salons et conversations.
deactivate-messages = Les messages chiffrés que seuls vos appareils peuvent ouvrir sont perdus.
deactivate-name = Personne ne pourra jamais reprendre votre nom, vous non plus.
also-hide-what-i-wrote = Masquer aussi ce que j’ai écrit
also-hide-hint = Les personnes qui ont vu vos messages les gardent. Celles qui arrivent plus tard ne les verront pas. Ce serveur oublie aussi vos adresses, vos moyens de connexion et ce qui est arrivé. Sans cela, vos messages restent tels quels.
your-username = Votre nom d’utilisateur
enter-it-to-show = Saisissez-le pour montrer qu’il s’agit bien de ce compte.
deactivate-my-account = Désactiver mon compte
keep-my-account = Garder mon compte
account-deactivated = Compte désactivé
your-account-is-deactivated = Votre compte est désactivé
deactivated-lead = Vous êtes déconnecté partout. Quitter tous les salons peut prendre quelques minutes.
change-your-password = Changer votre mot de passe
also-sign-out-everywhere-else = Se déconnecter aussi partout ailleurs
also-sign-out-hint = Faites-le si quelqu’un d’autre a pu entrer. Les appareils déconnectés détiennent peut-être les seules clés d’anciens messages chiffrés.
change-the-password = Changer le mot de passe
password-changed = Mot de passe changé
your-password-is-changed = Votre mot de passe est changé
sign-in-with-the-new-one = Connectez-vous désormais avec le nouveau.

# Passkeys and security keys.
add-a-passkey = Ajouter une clé d’accès
add-a-security-key = Ajouter une clé de sécurité
nothing-was-added = Rien n’a été ajouté
page-too-old = Cette page est restée ouverte trop longtemps. Réessayez
not-added-invalid = Votre navigateur a répondu par quelque chose que nous ne pouvons pas accepter. Réessayez, ou avec un autre appareil
not-added-already = Elle est déjà ajoutée à un compte
not-added-too-many = Votre compte en a autant que possible. Retirez-en une que vous n’utilisez plus
what-a-passkey-is = Votre appareil garde la clé d’accès et l’ouvre par votre empreinte, votre visage ou un code PIN. Avec elle, vous vous connectez sans mot de passe.
what-a-security-key-is = Une clé de sécurité est un petit appareil que vous branchez ou approchez de votre téléphone. Elle confirme que c’est vous après la demande du mot de passe ; elle ne vous connecte pas à elle seule.
device-needs-script = <strong>Cela a besoin de JavaScript.</strong> C’est ainsi que votre navigateur parle à votre appareil. Activez-le pour cette page, ou laissez les choses en l’état : tout le reste de votre compte fonctionne sans.
not-added-failed = Rien n’a été ajouté : l’opération a été annulée ou a pris trop de temps. Vous pouvez réessayer.
not-added-known = Rien n’a été ajouté : cet appareil ou cette clé est déjà ajouté à votre compte.
not-added-unsupported = Ce navigateur ne connaît pas les clés d’accès. Réessayez avec un plus récent.
create-the-passkey = Créer la clé d’accès
use-the-security-key = Utiliser la clé de sécurité
leave-it = Laisser
passkey = Clé d’accès
security-key = Clé de sécurité
passkey-added = Elle est ajoutée. La prochaine fois, connectez-vous avec elle : aucun mot de passe n’est nécessaire. Donnez-lui un nom qui vous dira plus tard de laquelle il s’agit.
security-key-added = Elle est ajoutée. Donnez-lui un nom qui vous dira plus tard de laquelle il s’agit.
it-has-its-new-name = Elle a son nouveau nom.
kind-passkey = Clé d’accès : vous connecte à elle seule
kind-security-key = Clé de sécurité : confirme une connexion
where-it-is = Où elle se trouve
on-all-your-devices = { $provider }, sur tous vos appareils qui l’utilisent
made-for = Faite pour
made-for-host = <bdi class="host">{ $host }</bdi>, où vous ne pouvez plus vous connecter
added = Ajoutée
last-used = Utilisée pour la dernière fois
not-yet = Pas encore
passkey-name-hint = Vous seul le voyez. Votre appareil l’appelle peut-être autrement.
remove = Retirer
remove-passkey-when = Faites-le si vous ne l’avez plus, ou ne la reconnaissez pas.
remove-it = La retirer
remove-the-passkey = Retirer la clé d’accès
remove-the-security-key = Retirer la clé de sécurité
remove-this-passkey = Retirer cette clé d’accès ?
remove-this-security-key = Retirer cette clé de sécurité ?
only-way-in-warning = <strong>Vous ne pourriez plus vous connecter.</strong> Votre compte n’a pas de mot de passe, ni rien d’autre pour vous connecter. Ajoutez d’abord une autre clé d’accès.
last-second-step-warning = <strong>Seul votre mot de passe protégerait votre compte.</strong> Quiconque l’apprend pourrait se connecter.
passkey-lets-nobody-in = Elle ne laissera plus entrer personne. Les appareils connectés le restent.
add-another-passkey = Ajouter une autre clé d’accès
passkeys-and-security-keys = Clés d’accès et clés de sécurité
what-passkeys-are-for = Avec une clé d’accès, vous vous connectez par votre empreinte, votre visage ou un code PIN, sans mot de passe, et personne ne peut vous la soutirer. Celles que vous ajoutez apparaissent ici.
second-step-only = Seconde étape seulement
passkey-no-longer-works = <strong>Elle ne fonctionne plus</strong> : elle a été faite pour <bdi class="host">{ $host }</bdi>. Ajoutez-en une nouvelle et retirez celle-ci.
not-used-yet = Pas encore utilisée
change-named = Modifier<span class="unseen"> : { $name }</span>
passkeys-cannot-be-used = Les clés d’accès ne peuvent pas être utilisées ici : les navigateurs les gardent pour des sites qui ont un nom, et ce serveur est atteint par une simple adresse.

# Sign-in and security.
security-app-added = L’application d’authentification est configurée. Un code vous en sera demandé quand vous vous connectez.
security-app-removed = L’application d’authentification est retirée.
security-passkey-removed = Elle est retirée, et ne laisse plus entrer personne. Votre appareil l’affiche peut-être encore ; vous pouvez l’y supprimer.
security-last-factor = Rien n’a été retiré : un second facteur est exigé ici, et c’est votre dernier. Configurez-en d’abord un autre.
security-too-many-apps = Vous avez autant d’applications d’authentification que possible. Retirez-en d’abord une.
security-browser-forgotten = Votre second facteur vous sera demandé dans ce navigateur.
security-recovered = Vous êtes entré. Configurez maintenant ce avec quoi vous vous connectez, et retirez ce que vous avez perdu.
you-can-sign-in-with-a-password = Vous pouvez vous connecter avec un mot de passe.
no-password = Ce compte n’a pas de mot de passe.
set-a-password = Définir un mot de passe
authenticator-apps = Applications d’authentification
what-apps-are-for = Une application sur votre téléphone affiche un code que vous saisissez après votre mot de passe. Celles que vous configurez apparaissent ici.
app-set-up-and-used = Configurée : { $created }, utilisée pour la dernière fois : { $used }
recovery-codes = Codes de récupération
what-recovery-codes-are-for = Des codes pour le jour où vous perdrez votre application d’authentification ou votre clé d’accès. Vous pourrez les créer quand vous en aurez configuré une.
no-recovery-codes = <strong>Vous n’en avez pas.</strong> Si vous perdez votre application d’authentification ou votre clé d’accès, vous ne pourrez pas entrer par vous-même.
recovery-codes-left = { $count ->
    [one] Il vous reste { $count } code.
   *[other] Il vous reste { $count } codes.
}
make-recovery-codes = Créer des codes de récupération
make-new-recovery-codes = Créer de nouveaux codes de récupération
remembered-browsers = Navigateurs mémorisés
what-remembered-browsers-are = Les navigateurs où votre second facteur ne vous est pas demandé apparaissent ici. Vous pouvez le choisir en vous connectant.
password-is-enough-in = Dans ces navigateurs, votre mot de passe suffit pour vous connecter.
since-until = Depuis : { $since }, jusqu’à : { $until }
forget-named = Oublier<span class="unseen"> { $name }</span>

# Recovery codes.
offer-codes-lead = Si vous perdez votre téléphone ou votre clé, un code de récupération vous laisse entrer. Chacun sert une fois, avec votre mot de passe.
offer-codes-keep = Gardez-les là où vous les trouverez sans votre téléphone : sur papier, ou dans un gestionnaire de mots de passe.
codes-left-will-be-replaced = { $count ->
    [one] <strong>Il vous reste { $count } code.</strong> De nouveaux le remplacent : l’ancien ne fonctionnera plus.
   *[other] <strong>Il vous reste { $count } codes.</strong> De nouveaux les remplacent : les anciens ne fonctionneront plus.
}
show-new-recovery-codes = Afficher de nouveaux codes de récupération
keep-the-old-ones = Garder les anciens
not-now = Pas maintenant
your-recovery-codes = Vos codes de récupération
codes-for-account = Pour <bdi class="mxid">{ $mxid }</bdi>. Chacun sert une fois.
save-them-now = <strong>Enregistrez-les maintenant.</strong> Ils ne seront plus affichés.
download = Télécharger
print = Imprimer
i-have-saved-them = Je les ai enregistrés
recovery-codes-of = Codes de récupération de { $mxid }
authenticator-app = Application d’authentification
