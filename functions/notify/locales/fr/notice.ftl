# Ce que lit la personne. Les règles se trouvent dans ../en/notice.ftl.

title = Vos sessions ont été fermées
title-refresh = Vos droits d'accès ont été modifiés
title-session = L'une de vos sessions a été fermée
title-others = Toutes vos autres sessions ont été fermées
greeting = Bonjour,
organisation = votre organisation
    .sms = votre organisation

date = %d/%m/%Y à %H:%M
    .sms = %d/%m/%Y à %H:%M

what = Toutes vos sessions ont été fermées le { $time }. Plus aucun de vos appareils n'est connecté.
    .sms = Toutes vos sessions ont été fermées le { $time }.
what-refresh = Vos droits d'accès ont été modifiés le { $time }. Vos applications appliqueront d'elles-mêmes les nouveaux droits au prochain renouvellement de votre session.
    .sms = Vos droits d'accès ont été modifiés le { $time }.
what-session = L'une de vos sessions a été fermée le { $time } ; d'autres restent ouvertes.
    .sms = Une de vos sessions a été fermée le { $time }.
what-others = Toutes vos sessions sauf une ont été fermées le { $time }. Plus aucun de vos autres appareils n'est connecté.
    .sms = Toutes vos sessions sauf une ont été fermées le { $time }.

why-given = Motif indiqué : { $reason }
    .sms = Motif : { $reason }
why-offboarding = Votre contrat de travail ou votre mission a pris fin.
    .sms = Motif : votre contrat ou votre mission a pris fin.
why-compromise = Certains signes indiquent qu'une autre personne a accès à votre compte.
    .sms = Motif : votre compte semble compromis.
why-anomaly = Une activité inhabituelle a été détectée sur votre compte. Nous avons fermé vos sessions par précaution.
    .sms = Motif : activité inhabituelle sur votre compte.
why-role_change = Votre fonction ou vos droits d'accès ont changé.
    .sms = Motif : vos droits d'accès ont changé.
why-refresh = Votre fonction ou vos groupes ont changé.
    .sms = Motif : votre fonction ou vos groupes ont changé.
why-project_end = Le projet ou le contrat qui justifiait votre accès a pris fin.
    .sms = Motif : le projet ou le contrat a pris fin.
why-policy_violation = Un manquement aux règles d'utilisation a été constaté.
    .sms = Motif : manquement aux règles d'utilisation.
why-user_request = Vous avez demandé la fermeture de vos sessions.
    .sms = Motif : votre demande.
why-canary = Il s'agissait d'un test de nos propres systèmes.
    .sms = Il s'agissait d'un test.

do-offboarding = Vous n'avez rien à faire.
    .sms = Vous n'avez rien à faire.
do-compromise = Accédez à la page de connexion comme vous le faites d'habitude et choisissez un nouveau mot de passe lorsque cela vous est demandé ; si rien ne vous est demandé, changez-le de votre propre initiative. Si vous utilisez le même mot de passe ailleurs, changez-le là aussi.
    .sms = Changez votre mot de passe dès qu'on vous le demande, et partout où vous l'utilisez.
do-anomaly = Reconnectez-vous comme vous le faites d'habitude, confirmez avec votre second facteur (MFA) et vérifiez votre activité récente. Si vous n'êtes pas à l'origine de l'une de ces actions, signalez-le immédiatement.
    .sms = Reconnectez-vous avec MFA et vérifiez votre activité récente.
do-role_change = Veuillez vous reconnecter pour continuer avec vos nouveaux droits d'accès.
    .sms = Veuillez vous reconnecter.
do-project_end = Vous n'avez rien à faire. Si vous avez encore besoin de cet accès, contactez { $organisation }.
    .sms = Vous n'avez rien à faire.
do-policy_violation = Veuillez relire les règles d'utilisation avant de vous reconnecter.
    .sms = Veuillez relire les règles d'utilisation avant de vous reconnecter.
do-user_request = Vous pouvez vous reconnecter à tout moment. Si vous n'êtes pas à l'origine de cette demande, changez votre mot de passe et contactez { $organisation } sans attendre.
    .sms = Si ce n'était pas vous, changez votre mot de passe.
do-canary = Vous n'avez rien à faire.
    .sms = Vous n'avez rien à faire.
do-disabled = Votre compte est désactivé. Pour le faire réactiver, contactez { $organisation }.
    .sms = Votre compte est désactivé.
do-refresh = Vous n'avez rien à faire. Si une application n'affiche pas vos nouveaux droits, déconnectez-vous de celle-ci, puis reconnectez-vous.
    .sms = Vous n'avez rien à faire.

ask = Des questions ? Contactez { $organisation } par un moyen que vous connaissez déjà.
    .sms = Des questions ? Contactez { $organisation }.
no-links = Ce message ne contient jamais de lien sur lequel cliquer. Si un message de ce type en contient un, ne l'ouvrez pas.
    .sms = Nous n'envoyons jamais de lien.
link-removed = (lien supprimé)
    .sms = (lien supprimé)
