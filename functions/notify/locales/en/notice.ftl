# What the person reads. A value stands in the e-mail, its `.sms` in the SMS.
#
# - One message a line; every message and placeable stands in all languages, or the notice is written in English.
# - `.sms` uses the characters of GSM 03.38 only, and all of them together fit into two segments (words/sms.rs).
# - No links, and nothing a telephone would make one of.
# - `organisation` follows "contact …": the name, or these words where no name is configured.

title = Your sessions have been ended
title-refresh = Your access rights have changed
title-session = One of your sessions was ended
title-others = All your other sessions were ended
greeting = Hello,
organisation = your organisation
    .sms = your organisation

# Patterns of strftime.
date = %-d %B %Y at %H:%M
    .sms = %-d %b %Y at %H:%M

what = On { $time }, all your sessions were ended. You are now signed out on all your devices.
    .sms = All your sessions were ended on { $time }.
what-refresh = On { $time }, your access rights were changed. Your applications take on the new rights by themselves, the next time they renew your session.
    .sms = Your access rights were changed on { $time }.
what-session = On { $time }, one of your sessions was ended; others go on.
    .sms = One of your sessions was ended on { $time }.
what-others = On { $time }, all your sessions but one were ended. You are now signed out on all your other devices.
    .sms = All your sessions but one were ended on { $time }.

why-given = Reason given: { $reason }
    .sms = Reason: { $reason }
why-offboarding = Your employment or assignment has ended.
    .sms = Reason: your employment or assignment has ended.
why-compromise = There are signs that someone else has access to your account.
    .sms = Reason: someone else seems to have access to your account.
why-anomaly = There was unusual activity on your account. We ended your sessions as a precaution.
    .sms = Reason: unusual activity on your account.
why-role_change = Your role or your access rights have changed.
    .sms = Reason: your access rights have changed.
why-refresh = Your role or your groups have changed.
    .sms = Reason: your role or your groups have changed.
why-project_end = The project or contract for which you had access has ended.
    .sms = Reason: the project or contract has ended.
why-policy_violation = A breach of the rules of use was found.
    .sms = Reason: a breach of the rules of use.
why-user_request = You asked for your sessions to be ended.
    .sms = Reason: your own request.
why-canary = This was a test of our own systems.
    .sms = This was a test.

do-offboarding = You do not need to do anything.
    .sms = You do not need to do anything.
do-compromise = Go to the sign-in page the way you usually do, and set a new password when you are asked to; if you are not asked, please change it yourself. If you use the same password anywhere else, change it there, too.
    .sms = Reset your password when asked, and change it wherever else you use it.
do-anomaly = Sign in again the way you usually do, confirm it with your second factor (MFA), and check your recent activity. If any of it was not you, report it at once.
    .sms = Sign in again with MFA and check your recent activity.
do-role_change = Please sign in again to continue with your new access rights.
    .sms = Please sign in again.
do-project_end = You do not need to do anything. If you still need access, contact { $organisation }.
    .sms = You do not need to do anything.
do-policy_violation = Please read the rules of use before you sign in again.
    .sms = Please read the rules of use before you sign in again.
do-user_request = You can sign in again at any time. If it was not you who asked, change your password and contact { $organisation } at once.
    .sms = If it was not you, change your password.
do-canary = You do not need to do anything.
    .sms = You do not need to do anything.
do-disabled = Your account is disabled. To have it enabled again, contact { $organisation }.
    .sms = Your account is disabled.
do-refresh = You do not need to do anything. If an application does not show your new rights, sign out of it and sign in again.
    .sms = You do not need to do anything.

ask = Do you have questions? Contact { $organisation } in a way you already know.
    .sms = Questions? Contact { $organisation }.
no-links = We never send a link to click in this message. If a message like this one has a link, do not follow it.
    .sms = We never send links.
link-removed = (link removed)
    .sms = (link removed)
