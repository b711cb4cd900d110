# Was die Person liest. Die Regeln stehen in ../en/notice.ftl.

title = Ihre Sitzungen wurden beendet
title-refresh = Ihre Zugriffsrechte wurden geändert
title-session = Eine Ihrer Sitzungen wurde beendet
title-others = Alle Ihre anderen Sitzungen wurden beendet
greeting = Guten Tag,
organisation = Ihre Organisation
    .sms = Ihre Organisation

date = %-d.%-m.%Y um %H:%M Uhr
    .sms = %-d.%-m.%Y um %H:%M

what = Am { $time } wurden alle Ihre Sitzungen beendet. Sie sind jetzt auf allen Ihren Geräten abgemeldet.
    .sms = Alle Ihre Sitzungen wurden am { $time } beendet.
what-refresh = Am { $time } wurden Ihre Zugriffsrechte geändert. Ihre Anwendungen übernehmen die neuen Rechte von selbst, sobald sie Ihre Sitzung das nächste Mal erneuern.
    .sms = Ihre Zugriffsrechte wurden am { $time } geändert.
what-session = Am { $time } wurde eine Ihrer Sitzungen beendet; andere laufen weiter.
    .sms = Eine Ihrer Sitzungen wurde am { $time } beendet.
what-others = Am { $time } wurden alle Ihre Sitzungen bis auf eine beendet. Sie sind jetzt auf allen Ihren anderen Geräten abgemeldet.
    .sms = Alle Ihre Sitzungen bis auf eine wurden am { $time } beendet.

why-given = Angegebener Grund: { $reason }
    .sms = Grund: { $reason }
why-offboarding = Ihr Beschäftigungs- oder Auftragsverhältnis ist beendet.
    .sms = Grund: Ihr Beschäftigungsverhältnis ist beendet.
why-compromise = Es gibt Anzeichen dafür, dass jemand anderes Zugang zu Ihrem Konto hat.
    .sms = Grund: Jemand anderes hat offenbar Zugang zu Ihrem Konto.
why-anomaly = In Ihrem Konto gab es ungewöhnliche Aktivitäten. Wir haben Ihre Sitzungen vorsorglich beendet.
    .sms = Grund: ungewöhnliche Aktivitäten in Ihrem Konto.
why-role_change = Ihre Rolle oder Ihre Zugriffsrechte haben sich geändert.
    .sms = Grund: Ihre Zugriffsrechte haben sich geändert.
why-refresh = Ihre Rolle oder Ihre Gruppen haben sich geändert.
    .sms = Grund: Ihre Rolle oder Ihre Gruppen haben sich geändert.
why-project_end = Das Projekt oder der Vertrag, auf dem Ihr Zugriff beruhte, ist beendet.
    .sms = Grund: Das Projekt oder der Vertrag ist beendet.
why-policy_violation = Es wurde ein Verstoß gegen die Nutzungsregeln festgestellt.
    .sms = Grund: Verstoß gegen die Nutzungsregeln.
why-user_request = Sie haben darum gebeten, Ihre Sitzungen zu beenden.
    .sms = Grund: Sie haben darum gebeten.
why-canary = Dies war ein Test unserer eigenen Systeme.
    .sms = Dies war ein Test.

do-offboarding = Sie müssen nichts tun.
    .sms = Sie müssen nichts tun.
do-compromise = Rufen Sie die Anmeldeseite wie gewohnt auf und legen Sie ein neues Passwort fest, sobald Sie dazu aufgefordert werden; geschieht das nicht, ändern Sie es bitte selbst. Falls Sie dasselbe Passwort auch anderswo verwenden, ändern Sie es dort ebenfalls.
    .sms = Setzen Sie Ihr Passwort nach Aufforderung zurück und ändern Sie es auch anderswo.
do-anomaly = Melden Sie sich wie gewohnt neu an, bestätigen Sie die Anmeldung mit Ihrem zweiten Faktor (MFA) und prüfen Sie Ihre letzten Aktivitäten. Wenn etwas davon nicht von Ihnen stammt, melden Sie es sofort.
    .sms = Melden Sie sich mit MFA neu an und prüfen Sie Ihre letzten Aktivitäten.
do-role_change = Bitte melden Sie sich neu an, um mit Ihren neuen Zugriffsrechten weiterzuarbeiten.
    .sms = Bitte melden Sie sich neu an.
do-project_end = Sie müssen nichts tun. Wenn Sie weiterhin Zugriff benötigen, wenden Sie sich an { $organisation }.
    .sms = Sie müssen nichts tun.
do-policy_violation = Bitte lesen Sie die Nutzungsregeln, bevor Sie sich wieder anmelden.
    .sms = Bitte lesen Sie die Nutzungsregeln, bevor Sie sich wieder anmelden.
do-user_request = Sie können sich jederzeit wieder anmelden. Falls Sie nicht selbst darum gebeten haben, ändern Sie Ihr Passwort und wenden Sie sich umgehend an { $organisation }.
    .sms = Falls Sie das nicht waren, ändern Sie Ihr Passwort.
do-canary = Sie müssen nichts tun.
    .sms = Sie müssen nichts tun.
do-disabled = Ihr Konto ist deaktiviert. Um es wieder aktivieren zu lassen, wenden Sie sich an { $organisation }.
    .sms = Ihr Konto ist deaktiviert.
do-refresh = Sie müssen nichts tun. Falls eine Anwendung Ihre neuen Rechte nicht anzeigt, melden Sie sich dort ab und wieder an.
    .sms = Sie müssen nichts tun.

ask = Haben Sie Fragen? Wenden Sie sich auf einem Ihnen bereits bekannten Weg an { $organisation }.
    .sms = Fragen bitte an { $organisation }.
no-links = In dieser Nachricht senden wir niemals einen Link zum Anklicken. Enthält eine solche Nachricht einen Link, folgen Sie ihm nicht.
    .sms = Wir senden nie Links.
link-removed = (Link entfernt)
    .sms = (Link entfernt)
