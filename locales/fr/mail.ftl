# The first lines.
mail-subject-test = Un e-mail de test de { $service }
mail-subject-verify-email = Confirmez votre adresse e-mail pour { $service }
mail-subject-email-taken = Votre adresse e-mail est déjà utilisée sur { $service }
mail-subject-reset-password = Retrouver l’accès à votre compte sur { $service }
mail-subject-new-sign-in = Nouvelle connexion à votre compte sur { $service }
mail-subject-password-changed = Votre mot de passe a été changé sur { $service }
mail-subject-email-added = Une adresse e-mail a été ajoutée à votre compte sur { $service }
mail-subject-email-removed = Une adresse e-mail a été retirée de votre compte sur { $service }
mail-subject-recovery-code-used = Un code de récupération a été utilisé sur { $service }
mail-subject-sessions-ended = Vous avez été déconnecté sur { $service }
mail-subject-passkey-added = Une clé d’accès a été ajoutée à votre compte sur { $service }
mail-subject-passkey-removed = Une clé d’accès a été retirée de votre compte sur { $service }
mail-subject-authenticator-added = Une application d’authentification a été ajoutée à votre compte sur { $service }
mail-subject-authenticator-removed = Une application d’authentification a été retirée de votre compte sur { $service }
mail-subject-recovery-codes-made = Votre compte a de nouveaux codes de récupération sur { $service }
mail-subject-factors-removed = Des moyens de connexion ont été retirés de votre compte sur { $service }
mail-subject-recovery-link-made = Un lien de récupération a été créé pour votre compte sur { $service }
mail-subject-recovery-link-used = Un lien de récupération a été utilisé pour votre compte sur { $service }
mail-subject-changed = Votre manière de vous connecter à votre compte a été changée sur { $service }

# What every mail may say.
mail-account = Compte : { $mxid }
mail-when = Quand : { $moment }
mail-by = Par : ceux qui gèrent { $server }
mail-with = Avec : { $browser }
mail-from = Depuis : { $address }
mail-was-it-you = C’était vous ? Alors il n’y a rien à faire.
mail-was-it-not-you = Ce n’était pas vous ? <a href="{ $password }">Choisissez un nouveau mot de passe</a> et <a href="{ $sessions }">déconnectez-vous partout ailleurs</a>. Si vous n’arrivez plus à vous connecter, <a href="{ $reset }">retrouvez l’accès à votre compte</a>.
mail-was-it-not-you-open = Ce n’était pas vous ? Choisissez un nouveau mot de passe et déconnectez-vous partout ailleurs :
mail-can-you-not-sign-in = Vous n’arrivez plus à vous connecter ? { $url }

# Each mail.
mail-test = Ceci est un test. { $service } peut envoyer des e-mails.
mail-verify-email = Quelqu’un veut ajouter cette adresse e-mail à un compte. Si c’était vous, saisissez ce code là où il vous est demandé :
mail-or-use-link = Ou utilisez ce lien dans n’importe quel navigateur :
mail-or-open-link = Ou ouvrez ce lien dans n’importe quel navigateur :
mail-confirm-this-address = Confirmer cette adresse
mail-both-good-for = Les deux sont valables { $length }, une seule fois.
mail-never-tell-the-code = Ce n’était pas vous ? Alors ne faites rien. Ne dites jamais le code à personne.
mail-email-taken = Quelqu’un veut ajouter cette adresse e-mail au compte nommé ci-dessous. Elle appartient déjà à un autre compte ici, donc rien n’a été modifié.
mail-email-taken-get-back = Si c’était vous, vous avez peut-être oublié cet autre compte. Vous pouvez <a href="{ $url }">en retrouver l’accès</a>.
mail-email-taken-open = Si c’était vous, vous avez peut-être oublié cet autre compte. Ouvrez cette page pour en retrouver l’accès :
mail-email-taken-do-nothing = Ce n’était pas vous ? Alors ne faites rien. Cette personne n’a pas appris que l’adresse est utilisée.
mail-reset-password = Quelqu’un a demandé à retrouver l’accès à votre compte. Si c’était vous, choisissez un nouveau mot de passe :
mail-reset-password-open = Quelqu’un a demandé à retrouver l’accès à votre compte. Si c’était vous, ouvrez ce lien et choisissez un nouveau mot de passe :
mail-link-good-for = Le lien est valable { $length }, une seule fois.
mail-it-is-good-for = Il est valable { $length }, une seule fois.
mail-never-give-the-link = Ce n’était pas vous ? Alors ne faites rien : votre mot de passe reste tel quel. Ne donnez jamais le lien à personne.
mail-new-sign-in = Quelqu’un s’est connecté à votre compte avec un navigateur qui n’avait pas encore servi pour lui.
mail-password-changed = Le mot de passe de votre compte a été changé.
mail-email-added = Cette adresse e-mail a été ajoutée à votre compte. Quiconque lit ses e-mails peut entrer dans le compte :
mail-email-removed = Cette adresse e-mail a été retirée de votre compte :
mail-passkey-added = Une clé d’accès a été ajoutée à votre compte. Quiconque la possède peut se connecter.
mail-passkey-removed = Une clé d’accès a été retirée de votre compte. Elle ne peut plus servir à se connecter.
mail-authenticator-added = Une application d’authentification a été ajoutée à votre compte. Un code vous en est demandé quand vous vous connectez.
mail-authenticator-removed = Une application d’authentification a été retirée de votre compte. Aucun code ne vous en est plus demandé.
mail-recovery-codes-made = Votre compte a de nouveaux codes de récupération. Les précédents ne fonctionnent plus.
mail-factors-removed = Des clés d’accès ou des applications d’authentification ont été retirées de votre compte. Elles ne peuvent plus servir à se connecter.
mail-recovery-link-made = Un lien a été créé qui vous laisse entrer une fois dans votre compte si vous avez perdu votre clé d’accès ou votre application d’authentification. Ceux qui l’ont créé vous le donnent, et personne d’autre n’en a besoin.
mail-recovery-link-used = Quelqu’un est entré dans votre compte par le lien de récupération créé pour lui.
mail-changed = Votre manière de vous connecter à votre compte a été changée.
mail-recovery-code-used = { $count ->
    [0] Quelqu’un s’est connecté à votre compte avec l’un de ses codes de récupération. Il n’en reste aucun : créez-en de nouveaux dans votre compte.
    [one] Quelqu’un s’est connecté à votre compte avec l’un de ses codes de récupération. Il en reste { $count } : créez-en de nouveaux dans votre compte.
    [2] Quelqu’un s’est connecté à votre compte avec l’un de ses codes de récupération. Il en reste 2 : créez-en de nouveaux dans votre compte.
   *[other] Quelqu’un s’est connecté à votre compte avec l’un de ses codes de récupération. Il en reste { $count }.
}
mail-sessions-ended = { $count ->
    [one] Ceux qui gèrent { $server } ont mis fin à une session de votre compte. Vous pouvez vous reconnecter.
   *[other] Ceux qui gèrent { $server } ont mis fin à { $count } sessions de votre compte. Vous pouvez vous reconnecter.
}
