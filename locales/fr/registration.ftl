# Making an account: the name.
create-an-account = Créer un compte
create-an-account-on = Créer un compte sur <bdi>{ $server }</bdi>
no-account-yet = Pas encore de compte ?
have-an-account = Avez-vous un compte ?
choose-a-username = Choisissez un nom d’utilisateur
username-hint = Les autres vous trouvent sous <bdi>@nom:{ $server }</bdi>. Il ne peut pas être changé par la suite.
username-underscore = Commencez le nom d’utilisateur par une lettre ou un chiffre
username-characters = N’utilisez que les lettres de a à z, les chiffres et . _ = - / + dans le nom d’utilisateur
username-digits = Utilisez au moins une lettre dans le nom d’utilisateur
username-long = Choisissez un nom d’utilisateur plus court
username-of-other-server = Choisissez un nom d’utilisateur pour ce serveur. Ce que vous avez saisi en désigne un autre
username-taken = Choisissez un autre nom d’utilisateur. Celui-ci est pris
username-homeserver-unreachable = Le serveur de messagerie ne répond pas, nous ne pouvons donc pas voir si le nom d’utilisateur est libre. La faute est de notre côté. Réessayez dans quelques minutes
too-many-usernames = Trop de noms d’utilisateur ont été essayés. Réessayez dans { $wait }
registration-too-late = Ce que vous aviez saisi n’est plus là : plus d’une heure est passée, ou le compte existe maintenant. Connectez-vous ou recommencez.

# What must be shown before that.
registration-token = Code d’inscription
registration-token-hint = Vous l’obtenez de ceux qui gèrent ce serveur.
enter-your-token = Saisissez votre code d’inscription
token-unknown = Vérifiez le code d’inscription. Nous ne le connaissons pas
token-used-up = Saisissez un autre code d’inscription. Celui-ci a été utilisé autant de fois que possible
token-expired = Saisissez un autre code d’inscription. Celui-ci est trop ancien
too-many-wrong-tokens = Il y a eu trop de codes d’inscription erronés. Réessayez dans { $wait }
captcha-hint = Pendant que vous remplissez ceci, votre navigateur résout de lui-même un petit calcul, pour que des programmes ne puissent pas créer des comptes par milliers.
captcha-working = Un instant : votre navigateur n’a pas encore fini. Le formulaire est envoyé dès qu’il a fini.
captcha-done = Votre navigateur a fini.
captcha-failed = Votre navigateur n’a pas pu résoudre le calcul. Rechargez cette page, ou utilisez un autre navigateur.
captcha-needs-script = <strong>Sans JavaScript, il vous faut un code d’inscription.</strong> Ceux qui gèrent ce serveur les distribuent. Avec JavaScript activé, votre navigateur montre de lui-même qu’il n’est pas un programme.
captcha-missing = Votre navigateur n’a pas résolu le calcul qui écarte les programmes. Activez JavaScript et réessayez, ou saisissez un code d’inscription
captcha-wrong = Votre navigateur n’a pas résolu le calcul qui écarte les programmes. Réessayez

# What the rules of the server say.
violation-requester-banned = Depuis votre réseau ou avec votre programme, aucun compte n’est créé ici. Adressez-vous à ceux qui gèrent ce serveur
violation-method-not-allowed = Aucun compte n’est créé de cette manière pour le moment. Adressez-vous à ceux qui gèrent ce serveur
violation-name-too-short = Utilisez au moins { $minimum } caractères dans le nom d’utilisateur
violation-name-banned = Choisissez un autre nom d’utilisateur. Celui-ci est réservé ici
violation-name-not-allowed = Choisissez un autre nom d’utilisateur. Seuls certains noms sont acceptés ici
violation-email-domain-banned = Utilisez une autre adresse e-mail. Ce serveur n’en accepte aucune de ce fournisseur
violation-email-banned = Utilisez une autre adresse e-mail. Ce serveur n’accepte pas celle-ci
violation-email-not-allowed = Utilisez une autre adresse e-mail. Ce serveur n’en accepte que certaines
violation-other = Les règles de ce serveur ne permettent pas ce compte. Adressez-vous à ceux qui le gèrent

# Coming back, and coming with an account.
your-new-account = Votre nouveau compte
change-username = Modifier
resume-heading = Continuer avec votre nouveau compte ?
resume-lead = Vous avez commencé à créer le compte <bdi class="mxid">{ $mxid }</bdi> avec ce navigateur. Ce que vous avez saisi est gardé une heure.
start-again = Recommencer
start-again-forgets = Si vous recommencez, nous oublions tout ce qui a été saisi.
you-already-have-an-account = Vous avez déjà un compte
go-on-with-this-account = Continuer avec ce compte
sign-out-and-create-another = Se déconnecter et en créer un autre
afterwards-you-continue-to = Ensuite, vous continuez vers { $client }.

# The e-mail address.
your-email-address = Votre adresse e-mail
email-is-good-for = Elle vous permet de revenir si vous oubliez votre mot de passe.
code-no-longer-counts = Ce code n’est plus valable. Faites-en envoyer un nouveau
email-taken-by-now = Utilisez une autre adresse, ou connectez-vous. Un compte a désormais cette adresse
send-me-a-code = M’envoyer un code
go-on-without-email = Continuer sans adresse
sign-in-to-that-account = Se connecter à ce compte
we-sent-a-mail-for-any-device = Nous avons envoyé un e-mail à <bdi>{ $address }</bdi>. Il contient un code, et un lien que vous pouvez ouvrir à la place sur n’importe quel appareil.
i-have-opened-the-link = J’ai ouvert le lien
no-mail-send-again = Pas d’e-mail ? Regardez parmi les indésirables, ou <a href="{ $url }">faites-le renvoyer, ici ou ailleurs</a>.
email-link-heading = Créer un compte avec cette adresse ?
new-account = Nouveau compte
email-link-warning = Ne continuez que si c’est vous qui créez ce compte : qui le crée utilise l’adresse à partir de là.
email-link-go-on = Continuez là où vous avez commencé à créer le compte : sur cette page, choisissez « J’ai ouvert le lien ».

# The password, the passkey, the terms.
choose-a-password = Choisissez un mot de passe
no-password-yet = Vous n’avez pas encore de mot de passe
use-a-passkey-instead = Utiliser une clé d’accès au lieu d’un mot de passe
create-a-passkey = Créer une clé d’accès
add-a-passkey-too = Ajouter une clé d’accès ?
no-passkey-yet = Il n’y a pas encore de clé d’accès
passkey-of-another-account = Elle appartient déjà à un compte. Utilisez un autre appareil
passkey-needs-script = <strong>Cela a besoin de JavaScript.</strong> C’est ainsi que votre navigateur parle à votre appareil. Activez-le pour cette page.
passkey-needs-script-or-later = <strong>Cela a besoin de JavaScript.</strong> C’est ainsi que votre navigateur parle à votre appareil. Activez-le pour cette page, ou continuez sans clé d’accès : vous pourrez en ajouter une plus tard.
passkey-needs-script-or-password = <strong>Cela a besoin de JavaScript.</strong> C’est ainsi que votre navigateur parle à votre appareil. Activez-le pour cette page, ou choisissez plutôt un mot de passe.
no-passkey-failed = Il n’y a pas encore de clé d’accès : l’opération a été annulée ou a pris trop de temps. Vous pouvez réessayer.
no-passkey-known = Il n’y a pas encore de clé d’accès : cet appareil en a déjà une pour ce compte. Utilisez un autre appareil.
choose-a-password-instead = Choisir plutôt un mot de passe
i-accept-terms = J’accepte les <a href="{ $terms }" target="_blank" rel="noopener">conditions d’utilisation</a>
i-accept-terms-and-policy = J’accepte les <a href="{ $terms }" target="_blank" rel="noopener">conditions d’utilisation</a> et j’ai lu la <a href="{ $policy }" target="_blank" rel="noopener">politique de confidentialité</a>
accept-the-terms = Acceptez les conditions d’utilisation
account-not-made-yet = Votre compte n’est pas encore créé
create-the-account = Créer le compte

# In the activity of the account.
event-account-created = Compte créé

# Mails.
mail-subject-verify-registration = Votre nouveau compte sur { $service }
mail-subject-account-exists = Vous avez déjà un compte sur { $service }
mail-verify-registration = Quelqu’un crée un compte avec cette adresse e-mail. Si c’est vous, saisissez ce code là où il vous est demandé :
mail-verify-registration-not-you = Ce n’était pas vous ? Alors ne faites rien : sans le code, il n’y aura pas de compte avec votre adresse. Ne dites le code à personne.
mail-account-exists = Quelqu’un veut créer un compte avec cette adresse e-mail. Elle appartient déjà au compte indiqué ci-dessous, rien n’a donc été changé.
mail-account-exists-sign-in = Si c’était vous, <a href="{ $login }">connectez-vous à ce compte</a>. Avez-vous oublié votre mot de passe ? <a href="{ $reset }">Revenez par ici</a>.
mail-account-exists-sign-in-open = Si c’était vous, connectez-vous à ce compte :
mail-account-exists-reset-open = Avez-vous oublié votre mot de passe ? Revenez par ici :
mail-account-exists-not-you = Ce n’était pas vous ? Alors ne faites rien. Personne n’a appris que vous avez un compte.
