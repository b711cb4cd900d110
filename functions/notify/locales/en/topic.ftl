# What managers or HR read where the policy sends the notice to a topic. In English: a topic has no language of its own.

date = %-d %B %Y at %H:%M
topic-title = Sessions of a user were ended ({ $code })
topic-ended = On { $time }, all sessions of the user { $subject } were ended. Reason: { $code }.
topic-refresh = On { $time }, the access rights of the user { $subject } were changed. Reason: { $code }.
topic-disabled = The account is disabled.
topic-enabled = The account was not disabled by this.
topic-person = The person was not told by this pipeline.
