# What is said on several pages of the sign-in.
to-continue-to = pour continuer vers { $client }
not-signed-in-yet = Vous n’êtes pas encore connecté
too-many-attempts = Il y a eu trop de tentatives. Réessayez dans { $wait }
too-many-wrong-codes = Il y a eu trop de codes erronés. Réessayez dans { $wait }
page-too-old-try-again = Cette page est restée ouverte trop longtemps, ou votre navigateur n’enregistre pas les cookies. Réessayez
password = Mot de passe
username = Nom d’utilisateur
go-on = Continuer
ask-those-who-run-this-server = Si vous avez perdu ce qui vous sert à confirmer, adressez-vous à ceux qui gèrent ce serveur.

# Signing in.
sign-in-heading = Se connecter à <bdi>{ $server }</bdi>
enter-your-username = Saisissez votre nom d’utilisateur
enter-your-password = Saisissez votre mot de passe
wrong-name-or-password = Le nom d’utilisateur ou le mot de passe n’est pas correct. Vérifiez les deux et réessayez
page-too-old-enter-password = Cette page est restée ouverte trop longtemps, ou votre navigateur n’enregistre pas les cookies. Saisissez de nouveau votre mot de passe
passkey-invalid = Cette clé d’accès ne fonctionne pas ici, ou plus. Essayez-en une autre, ou votre mot de passe
page-too-old-use-passkey = Cette page est restée ouverte trop longtemps, ou votre navigateur n’enregistre pas les cookies. Utilisez de nouveau votre clé d’accès
passkeys-need-script-or-password = Les clés d’accès ont besoin de JavaScript. Activez-le pour cette page, ou connectez-vous avec votre mot de passe
account-is-locked = Ce compte est verrouillé. Adressez-vous à ceux qui gèrent ce serveur
notice-session-ended = Vous avez été déconnecté de ce navigateur. Reconnectez-vous pour continuer.
notice-confirm-it-is-you = Reconnectez-vous, pour que nous sachions que c’est bien vous.
passkey-failed-use-password = Cela n’a pas fonctionné : l’opération a été annulée ou a pris trop de temps. Réessayez, ou connectez-vous avec votre mot de passe.
sign-in-with-a-passkey = Se connecter avec une clé d’accès
or = ou
passkeys-need-script = Les clés d’accès ont besoin de JavaScript. Votre mot de passe fonctionne sans.
i-cannot-sign-in = Je n’arrive pas à me connecter

# The second step.
confirm-that-it-is-you = Confirmez que c’est bien vous
you-are-signing-in-as = Vous vous connectez en tant que
code-wrong = Ce code n’est pas correct, ou a déjà été utilisé. Saisissez-en un autre
page-too-old-enter-code = Cette page est restée ouverte trop longtemps, ou votre navigateur n’enregistre pas les cookies. Saisissez de nouveau un code
code-from-your-app = Code de votre application d’authentification
code-from-your-app-hint = Six chiffres qui changent toutes les trente secondes.
use-a-passkey-or-security-key = Utiliser une clé d’accès ou de sécurité
use-a-recovery-code = Utiliser un code de récupération
recovery-code = Code de récupération
recovery-code-hint = L’un de ceux que vous avez enregistrés en les créant. Chacun sert une seule fois.
confirm-in-another-way = Confirmer d’une autre manière
do-not-ask-again = Ne plus demander dans ce navigateur
do-not-ask-again-hint = Pendant { $length }. Seulement sur un appareil qui n’est qu’à vous.
confirm-with-your-key = Confirmer avec votre clé
browser-ran-no-script = Votre navigateur n’a pas exécuté JavaScript, dont cela a besoin
key-invalid = Cela n’a pas fonctionné. Réessayez, ou avec une autre
key-ready = Préparez votre clé d’accès ou de sécurité. Votre navigateur vous dit quoi faire.
key-needs-script = <strong>Cela a besoin de JavaScript.</strong> C’est ainsi que votre navigateur parle à votre clé. Activez-le pour cette page, ou choisissez une autre manière.
key-failed = Cela n’a pas fonctionné : l’opération a été annulée ou a pris trop de temps. Vous pouvez réessayer.
key-unsupported = Ce navigateur ne connaît ni les clés d’accès ni les clés de sécurité. Choisissez une autre manière.
use-your-key = Utiliser votre clé
choose-another-way = Choisir une autre manière

# Getting back in.
get-back-into-your-account = Retrouver l’accès à votre compte
password-wrong = Le mot de passe n’est pas correct. Vérifiez-le et réessayez
recover-lead = Ce lien vous laisse entrer une fois sans votre application d’authentification, votre clé d’accès ou un code de récupération. Mettez-en ensuite de nouveaux en place, et retirez ceux que vous avez perdus.
reset-lead = Saisissez une adresse e-mail qui appartient à votre compte. Nous vous envoyons un lien pour choisir un nouveau mot de passe.
no-link-was-sent = Aucun lien n’a été envoyé
enter-an-email = Saisissez une adresse e-mail, par exemple name@example.com
too-many-links = Trop de liens ont été demandés. Réessayez dans { $wait }
email-address = Adresse e-mail
send-me-a-link = M’envoyer un lien
no-address-ask = Aucune adresse n’appartient à votre compte ? Adressez-vous à ceux qui gèrent <bdi>{ $server }</bdi>.
reset-impossible = Ce serveur n’envoie pas de liens pour retrouver l’accès.
reset-impossible-ask = Adressez-vous à ceux qui gèrent <bdi>{ $server }</bdi> : ils peuvent vous donner un nouveau mot de passe.
back-to-the-sign-in = Retour à la connexion
look-at-your-mail = Consultez vos e-mails
reset-sent = Si l’adresse appartient à un compte ici, un e-mail avec un lien est en route. Le lien est valable dix minutes, une seule fois.
reset-no-mail = Pas d’e-mail ? Regardez parmi les indésirables. Peut-être une autre adresse appartient-elle à votre compte : <a href="{ $url }">essayez celle-là</a>.
you-can-close-this-page = Vous pouvez fermer cette page.
choose-a-new-password = Choisir un nouveau mot de passe
for-account = pour <bdi class="mxid">{ $mxid }</bdi>
password-not-changed = Votre mot de passe n’est pas changé
sign-out-devices-too = Déconnecter aussi mes applications et appareils
sign-out-devices-too-hint = Les navigateurs sont déconnectés dans tous les cas. Faites-le si quelqu’un d’autre a pu entrer : les appareils déconnectés détiennent peut-être les seules clés d’anciens messages chiffrés.
set-password-and-sign-in = Enregistrer le mot de passe et se connecter

# After signing out.
signed-out = Déconnecté
you-are-signed-out = Vous êtes déconnecté
signed-out-of-browser = Ce navigateur n’a plus accès à votre compte sur <bdi>{ $server }</bdi>.
devices-stay-signed-in = Les applications et appareils que vous avez connectés le restent. Pour les déconnecter, connectez-vous et ouvrez « Sessions ».
