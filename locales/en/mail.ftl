# The first lines.
mail-subject-test = A test mail from { $service }
mail-subject-verify-email = Confirm your e-mail address for { $service }
mail-subject-email-taken = Your e-mail address is in use at { $service }
mail-subject-reset-password = Get back into your account on { $service }
mail-subject-new-sign-in = New sign-in to your account on { $service }
mail-subject-password-changed = Your password was changed on { $service }
mail-subject-email-added = An e-mail address was added to your account on { $service }
mail-subject-email-removed = An e-mail address was removed from your account on { $service }
mail-subject-recovery-code-used = A recovery code was used on { $service }
mail-subject-sessions-ended = You were signed out on { $service }
mail-subject-passkey-added = A passkey was added to your account on { $service }
mail-subject-passkey-removed = A passkey was removed from your account on { $service }
mail-subject-authenticator-added = An authenticator app was added to your account on { $service }
mail-subject-authenticator-removed = An authenticator app was removed from your account on { $service }
mail-subject-recovery-codes-made = Your account has new recovery codes on { $service }
mail-subject-factors-removed = Ways to sign in were removed from your account on { $service }
mail-subject-recovery-link-made = A recovery link was made for your account on { $service }
mail-subject-recovery-link-used = A recovery link was used for your account on { $service }
mail-subject-changed = How you sign in to your account was changed on { $service }

# What every mail may say.
mail-account = Account: { $mxid }
mail-when = When: { $moment }
mail-by = By: those who run { $server }
mail-with = With: { $browser }
mail-from = From: { $address }
mail-was-it-you = Was it you? Then there is nothing to do.
mail-was-it-not-you = Was it not you? <a href="{ $password }">Choose a new password</a> and <a href="{ $sessions }">sign out everywhere else</a>. If you can no longer sign in, <a href="{ $reset }">get back into your account</a>.
mail-was-it-not-you-open = Was it not you? Choose a new password and sign out everywhere else:
mail-can-you-not-sign-in = Can you no longer sign in? { $url }

# Each mail.
mail-test = This is a test. { $service } can send mails.
mail-verify-email = Somebody wants to add this e-mail address to an account. If it was you, enter this code where you are asked for it:
mail-or-use-link = Or use this link in any browser:
mail-or-open-link = Or open this link in any browser:
mail-confirm-this-address = Confirm this address
mail-both-good-for = Both are good for { $length }, once.
mail-never-tell-the-code = Was it not you? Then do nothing. Never tell anybody the code.
mail-email-taken = Somebody wants to add this e-mail address to the account named below. It belongs to another account here already, so nothing was changed.
mail-email-taken-get-back = If it was you, you may have forgotten that other account. You can <a href="{ $url }">get back into it</a>.
mail-email-taken-open = If it was you, you may have forgotten that other account. Open this page to get back into it:
mail-email-taken-do-nothing = Was it not you? Then do nothing. They were not told that the address is in use.
mail-reset-password = Somebody asked for a way back into your account. If it was you, choose a new password:
mail-reset-password-open = Somebody asked for a way back into your account. If it was you, open this link and choose a new password:
mail-link-good-for = The link is good for { $length }, once.
mail-it-is-good-for = It is good for { $length }, once.
mail-never-give-the-link = Was it not you? Then do nothing: your password stays as it is. Never give the link to anybody.
mail-new-sign-in = Somebody signed in to your account with a browser that was not used for it before.
mail-password-changed = The password of your account was changed.
mail-email-added = This e-mail address was added to your account. Whoever reads its mails can get into the account:
mail-email-removed = This e-mail address was removed from your account:
mail-passkey-added = A passkey was added to your account. Whoever has it can sign in.
mail-passkey-removed = A passkey was removed from your account. It can no longer be used to sign in.
mail-authenticator-added = An authenticator app was added to your account. You are asked for a code from it when you sign in.
mail-authenticator-removed = An authenticator app was removed from your account. You are no longer asked for a code from it.
mail-recovery-codes-made = Your account has new recovery codes. The ones before no longer work.
mail-factors-removed = Passkeys or authenticator apps were removed from your account. They can no longer be used to sign in.
mail-recovery-link-made = A link was made that lets you into your account once if you have lost your passkey or authenticator app. You get it from those who made it, and nobody else needs it.
mail-recovery-link-used = Somebody got into your account by the recovery link that was made for it.
mail-changed = How you sign in to your account was changed.
mail-recovery-code-used = { $count ->
    [0] Somebody signed in to your account with one of its recovery codes. None is left: make new ones in your account.
    [one] Somebody signed in to your account with one of its recovery codes. 1 is left: make new ones in your account.
    [2] Somebody signed in to your account with one of its recovery codes. 2 are left: make new ones in your account.
   *[other] Somebody signed in to your account with one of its recovery codes. { $count } are left.
}
mail-sessions-ended = { $count ->
    [one] Those who run { $server } ended a session of your account. You can sign in again.
   *[other] Those who run { $server } ended { $count } sessions of your account. You can sign in again.
}
