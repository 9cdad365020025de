"""git and its kin: what reads, what changes and what loses work or history."""

from typing import Final

__all__ = ["CODE_SETTINGS", "GIT"]

CODE_SETTINGS: Final = (
    r"alias\..*|.*\.(?:command|cmd|driver|textconv|program|process|clean|smudge|helper|editor|pager|external|tool"
    r"|sshcommand|askpass|hookspath|fsmonitor|gitproxy|packobjectshook|uploadpack|receivepack|proxycommand)"
    r"|pager\..*|include(?:if)?\..*|url\..*|protocol\..*|core\.(?:attributesfile|worktree)|http\.proxy|remote\..*\.vcs"
)
"""Settings (lower case) whose value is a program, or that load more settings."""

GIT: Final = (
    """
    git takes -C -c --git-dir --work-tree --namespace --config-env --super-prefix --attr-source --exec-path
    . takes -m --message -F --file -S --gpg-sign --author --date -b -B -U --unified --inter-hunk-context -s --strategy
    . glues -b -B -c
    . flags --no-pager -P --paginate -p --bare --no-replace-objects --literal-pathspecs --no-optional-locks
    . flags --glob-pathspecs --noglob-pathspecs --icase-pathspecs --html-path --man-path --info-path -v --version
    . status|log|diff|show|blame|annotate|shortlog|describe|rev-parse|rev-list|ls-files|ls-tree|cat-file : query
    . name-rev|merge-base|for-each-ref|show-ref|show-branch|grep|count-objects|verify-commit|verify-tag : query
    . whatchanged|range-diff|cherry|check-ignore|check-attr|check-ref-format|diff-tree|diff-index|diff-files : query
    . var|version|help|get-tar-commit-id|patch-id|stripspace|fsck|verify-pack|merge-tree|column|reflog : query
    . ls-remote : query net
    . bugreport|diagnose : mutate
    . fsck --lost-found : mutate
    . log|diff|show|whatchanged|diff-tree|diff-index|diff-files|range-diff --output : mutate =--output
    . log|diff|show --ext-diff|--textconv : admin
    . grep -O|--open-files-in-pager : admin
    . reflog expire|delete|drop : destroy
    . branch|tag|remote|stash|worktree|submodule|notes|bundle|bisect|config $ : query
    . stash $ : mutate
    . branch -f|-m|-u|-d|-c|--edit-description|--set-upstream-to|--unset-upstream : mutate
    . tag -a|-f|-m|-s|-u|-d : mutate
    . branch|tag * : mutate
    . branch|tag ^-l|--list : query
    . branch -D|-M|-C|-f|--force : destroy
    . branch --delete --force : destroy
    . tag -d|--delete|-f|--force : mutate
    . remote show|get-url : query net
    . remote add|set-url|rename|set-head|set-branches|update : admin
    . remote remove|rm|prune : admin
    . stash list|show : query
    . stash push|save|pop|apply|branch|create|store : mutate
    . stash drop|clear : destroy
    . worktree list : query
    . worktree add|lock|unlock|move|repair|prune|remove : mutate
    . worktree remove -f|--force : destroy
    . submodule status|summary : query
    . submodule add|init|update|sync|set-branch|set-url|absorbgitdirs|deinit : mutate net
    . submodule deinit -f|--force : destroy
    . submodule foreach : admin
    . submodule add ext::* : destroy
    . --exec-path : admin
    . notes list|show|get-ref : query
    . notes add|append|edit|copy|merge : mutate
    . notes remove|prune : destroy
    . bundle verify|list-heads : query
    . bundle create|unbundle : mutate
    . bisect log|view|visualize : query
    . bisect start|good|bad|new|old|skip|reset|replay|terms : mutate
    . config ^--get|--get-all|--list|-l|--get-regexp|--get-urlmatch|get|list : query
    . config get|list : query
    . config * $ : query
    . config : admin
    . config --unset|--unset-all|--remove-section|--rename-section|-e|--edit|--replace-all|--add : admin

    . add|commit|mv|rm|init|merge|rebase|cherry-pick|revert|checkout|switch|restore|am|apply|format-patch : mutate
    . sparse-checkout|archive|gc|maintenance|repack|pack-refs|pack-objects|prune-packed|update-server-info : mutate
    . write-tree|commit-tree|hash-object|mktree|mktag|read-tree|update-index|checkout-index|commit-graph : mutate
    . request-pull|rerere|flow|lfs|citool|gui|gitk|mergetool|difftool|cherry-mark|interpret-trailers|reset : mutate
    . fetch|pull|clone|push|remote-update|send-pack|fetch-pack : mutate net
    . archive -o|--output : mutate =-o|--output
    . archive --exec|--remote : admin net
    . clone|fetch|pull|push|ls-remote --upload-pack|--receive-pack|--exec : destroy
    . clone|fetch|pull|push|ls-remote ext::* : destroy
    . clone -c|--config|--template : admin
    . difftool -x|--extcmd : admin
    . reset --hard|--merge|--keep : destroy
    . clean : query
    . clean -f|--force : destroy
    . clean -i|--interactive : destroy
    . checkout -f|--force|--pathspec-from-file|--ours|--theirs : destroy
    . switch -f|--force|--discard-changes|-C|--force-create : destroy
    . push -f|--force|--mirror|-d|--delete|--prune|+|: : destroy net
    . rm -f|--force : destroy
    . rm -r : mutate
    . gc --prune|--aggressive : destroy
    . prune|filter-branch|filter-repo|replace|fast-import : destroy
    . repack -A|-a|-d : mutate
    . update-ref|symbolic-ref : mutate
    . update-ref -d|--stdin : destroy
    . symbolic-ref -d|--delete : destroy
    . read-tree|checkout-index --reset|-u|-f : destroy
    . rebase|am --exec|-x : admin
    . rebase -i|--interactive|--root : mutate
    . lfs prune : destroy
    . delete-branch|delete-tag|delete-merged-branches|delete-squashed-branches|obliterate|nuke : destroy
    . delete-submodule : mutate
    . instaweb|daemon|shell|http-backend|upload-pack|receive-pack|send-email|svn|p4|cvsserver|credential* : admin net

    hg|svn|jj|fossil|bzr status|st|log|diff|cat|annotate|blame|ann : query
    hg|svn|jj|fossil|bzr heads|tip|branches|tags|info|list|ls|help|show : query
    . version|timeline|summary|identify|id|manifest|parents|paths|root|files|proplist|propget : query
    jj file list|show|annotate : query
    . file : mutate
    hg|svn|jj|fossil|bzr help : query
    . commit|ci|add|update|up|merge|branch|tag|copy|cp|move|mv|rename|resolve|switch|checkout|co : mutate
    . describe|new|abandon|restore|squash|edit|split|rebase : mutate
    . bookmark|absorb|duplicate|next|prev|init|mkdir|graft : mutate
    . clone|pull|push|fetch|incoming|outgoing|git|import|export : mutate net
    hg strip|purge|rollback|prune|histedit|uncommit|evolve : destroy
    hg|svn revert|cleanup : destroy
    hg|svn|fossil remove|rm|delete|del|forget|cl|changelist : mutate
    hg update -C|--clean : destroy
    . push -f|--force : destroy net
    svnadmin|svndumpfilter : admin
    gh|glab|hub|tea takes -R --repo -H --header --hostname -q --jq -t --template --json -f -F -L --limit -s --state
    gh|glab|hub pr|issue|repo|release|run|workflow list|view|status|diff : query net
    gh|glab|hub gist|project|label|cache|search|codespace list|view|status|diff : query net
    . pr|issue|repo|release|run|workflow|gist|project|label|cache|search checks|watch : query net
    . repo|release|run|gist|label download|clone : mutate net
    . search|browse|status|--version|version|completion|extension|alias : query net
    . auth status : query net
    . auth status --show-token : admin net
    . auth token|login|logout|refresh|setup-git : admin net
    . api : mutate net
    . pr|issue create|edit|comment|ready|review|reopen|checkout|close|pin|unpin|lock|unlock : mutate net
    . repo|release|gist|label|project|workflow|run create|edit|fork|sync|upload|rerun|set-default|rename : mutate net
    . pr merge : admin net
    . secret|variable|ssh-key|gpg-key|ruleset|org|codespace|extension|alias * : admin net
    . secret|variable|ssh-key|gpg-key|ruleset|org|extension list|view : query net
    . repo|release|gist|issue|label|cache|secret|variable|ssh-key|gpg-key|run|codespace|project delete : destroy net
    . repo archive|unarchive|rename : admin net
    . delete|sync -f|--force : destroy net
    . repo sync --force : destroy net
    . release delete-asset : destroy net
    . workflow|run disable|cancel : admin net
    . api DELETE : destroy net
    hub delete : destroy net
    """,
)
