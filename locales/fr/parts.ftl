# A new password.
enter-a-new-password = Saisissez un nouveau mot de passe
password-too-short = Utilisez au moins { $least } caractères
password-too-long = Utilisez un mot de passe plus court
password-different = Saisissez deux fois le même mot de passe
new-password = Nouveau mot de passe
new-password-hint = Au moins { $least } caractères. Plusieurs mots à la suite se retiennent facilement.
the-same-again = Le même encore une fois

# Who is signed in, and what an app gets.
it-will-be-able-to = Elle pourra
only-know-that-you-signed-in = Savoir que vous vous êtes connecté, et rien de plus
exact-permissions = Autorisations exactes
device-id = Identifiant d’appareil
scope = Scope
none = Aucun
lasts-until-signed-out = Cela dure jusqu’à ce que vous la déconnectiez, ce que vous pouvez faire à tout moment dans votre compte, sous « Sessions ».
lasts-for = Cela dure { $length }, ou jusqu’à ce que vous la déconnectiez dans votre compte, sous « Sessions ».

# A homeserver that is down.
homeserver-unreachable = <strong>Le serveur de discussion ne répond pas pour le moment.</strong> Vous pouvez vous connecter, mais votre application ne fonctionnera peut-être qu’à son retour.

# A session.
kind = Type
browser-signed-in = Navigateur connecté à votre compte
app = Application
signed-in-at = Connecté
last-seen = Vu pour la dernière fois
runs-on = Fonctionne sur
it-can = Elle peut

# Une application ou un site au milieu d’une phrase, après « vers » ou « par ».
client-named = <bdi>{ $name }</bdi> (<bdi class="host">{ $host }</bdi>)
client-host = <bdi class="host">{ $host }</bdi>
client-says = une application qui dit s’appeler « <bdi>{ $name }</bdi> »
client-unnamed = une application sans nom
destination-plain = <bdi class="host">{ $host }</bdi> (non chiffré)
destination-loopback = une application sur cet ordinateur
destination-app = une application sur cet appareil (<bdi class="host">{ $scheme }</bdi>)

# Le nom d’une session qui n’en a pas.
unnamed-app = Application sans nom
unknown-browser = Navigateur inconnu
program-on-system = { $program } sous { $system }

# Ce que signifie un scope, à la suite de « Elle pourra ».
scope-messages = Lire et envoyer des messages en votre nom, et tout ce que peut faire une application de discussion
scope-device = Être l’un de vos appareils, avec ses propres clés pour les messages chiffrés
scope-server-administration = <strong>Administrer le serveur de discussion</strong> : voir et modifier tous ses comptes
scope-identity = Savoir quel compte est le vôtre
scope-email = Voir votre adresse e-mail
scope-profile = Voir votre nom et votre image
scope-other = Quelque chose que ce serveur ne sait pas décrire : <code>{ $scope }</code>
