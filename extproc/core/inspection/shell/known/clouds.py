"""Clouds, infrastructure as code, secret stores, pipelines."""

from typing import Final

__all__ = ["CLOUDS"]

CLOUDS: Final = (
    """
    aws takes --profile --region --output --query --endpoint-url --ca-bundle --cli-read-timeout --cli-connect-timeout
    . flags --no-cli-pager --debug --no-verify-ssl --no-paginate --no-sign-request --color
    . s3 ls|presign : query net
    . s3 cp|sync|mb|website : mutate net
    . s3 rm|rb|mv : destroy net
    . s3 sync --delete : destroy net
    . * describe-*|list-*|get-*|head-*|lookup-*|search-* : query net
    . * select-*|batch-get-*|query|scan|wait|help|filter-* : query net
    . * receive-*|estimate-*|check-*|validate-*|preview-*|simulate-*|test-*|verify-*|tail : query net
    . help|configure : query
    . s3api get-object : mutate net
    . * get-secret-value|get-session-token|get-federation-token|get-login-password|get-credentials* : admin net
    . * get-authorization-token|get-password-data|get-parameter*|generate-* : admin net
    . configure|sso|sts|iam * : admin net
    . sts get-caller-identity : query net
    . iam get-*|list-* : query net
    . * create-*|run-*|start-*|update-*|put-*|modify-* : mutate net
    . * attach-*|add-*|tag-*|untag-*|copy-*|import-*|send-* : mutate net
    . * publish*|invoke*|register-*|enable-*|associate-* : mutate net
    . * set-*|upload-*|allocate-*|restore-*|reboot-*|apply-* : mutate net
    . * delete*|terminate-*|purge-*|remove-*|deregister-* : destroy net
    . * destroy-*|revoke-*|unsubscribe|detach-*|disassociate-* : destroy net
    . * batch-delete-*|bulk-delete-*|cancel-* : destroy net
    . * disable-*|stop-logging|schedule-key-deletion|release-address : destroy net
    . * put-secret-value|update-secret|reset-* : destroy net
    . * reject-*|batch-write-item|put-bucket-policy|put-bucket-acl : destroy net
    . * put-bucket-lifecycle*|put-public-access-block|forget-* : destroy net
    . * withdraw-*|close-account|leave-organization : destroy net
    . * rm|destroy|delete : destroy net
    . ssm send-command|start-session : admin net
    . ec2 stop-instances : admin net

    gcloud|gsutil|bq takes --project --account --configuration --format --zone --region --filter --limit -h -o
    . flags -m -q -D -DD --quiet
    gsutil ls|cat|du|stat|hash|version|help : query net
    . cp|rsync|mb|setmeta|cors|label|acl|iam|defacl|versioning|lifecycle|notification|web|mv|compose : mutate net
    . rm|rb : destroy net
    . rsync -d : destroy net
    bq ls|show|head|version|help : query net
    . query|load|mk|update|cp|extract|insert|wait : mutate net
    . rm|truncate : destroy net
    . cp|load -f|--force|--replace : destroy net
    az|gcloud|doctl|hcloud|linode-cli|oci|ibmcloud|scw|vultr-cli|exo|openstack|aliyun|yc|civo flags --quiet -q
    gcloud|az version|help|topic|info|--version|find : query
    gcloud|az list|describe|show : query net
    . * list|describe|show|list-*|show-*|get-*|wait : query net
    . * * list|describe|show|list-*|show-*|get-*|wait|tail : query net
    . * * * list|describe|show|list-*|show-*|get-*|wait : query net
    . auth|account|ad|role|keyvault|iam|secrets|config * * : admin net
    . * get-credentials : admin net
    . * * get-credentials : admin net
    . * keys|credential|credentials|connection-string list|show|get|get-value : admin net
    . * * keys|credential|credentials|connection-string list|show|get|get-value : admin net
    . * * create|update|start|restart|deploy|add|set|resize|copy|import|export|enable|upgrade : mutate net
    . * create|update|start|restart|deploy|add|set|resize|copy|import|export|enable|upgrade : mutate net
    gcloud config|auth list|get-value|get : query
    gcloud|az auth|account|ad|role|keyvault|iam * : admin net
    doctl|hcloud|linode-cli|oci|ibmcloud|scw|exo|openstack|civo account|version|help|auth get|list|show : query net
    flyctl|fly|heroku|vercel|netlify|railway|render|wrangler : admin net
    firebase|supabase|cf|dokku|eb|amplify|sls|serverless : admin net
    flyctl|fly status|logs|version|doctor|info : query net
    heroku logs|ps|releases|status|version|apps|addons|domains : query net
    . *:destroy|*:delete|*:reset|*:remove|*:revoke|*:rollback|*:purge|*:unset|*:clear : destroy net
    sls|serverless|eb|amplify|sam|cdk|copilot remove|terminate|destroy|delete : destroy net
    sam|cdk|copilot list|ls|diff|synth|doctor|validate|logs : query net
    . * : admin net

    terraform|tofu|terragrunt flags -no-color
    . plan|show|validate|version|output|providers|graph|console|get|metadata|help : query net
    . state|workspace list|show|pull : query net
    . fmt|init|import|refresh|login|logout|test : mutate net
    . providers lock|mirror : mutate net
    . plan -out : mutate =-out
    . apply|state|workspace|run-all|untaint|run : admin net
    . destroy|taint|force-unlock : destroy net
    . run-all|run destroy : destroy net
    . apply|run-all -destroy : destroy net
    . state rm|push|mv|replace-provider : destroy net
    . workspace delete : destroy net
    pulumi preview|whoami|version|logs|about : query net
    . stack|config|plugin $ : query net
    . stack|config|plugin ls|list|get|output|history|graph : query net
    . stack|plugin|state : admin net
    . up|update|import|refresh|new|login|logout|env|org|convert|watch|policy : admin net
    . destroy|cancel : destroy net
    . stack rm|rename|import : destroy net
    . stack init|select|change-secrets-provider : admin net
    . state delete|unprotect|rename|move : destroy net
    . config rm|set|set-all|rm-all : admin net
    ansible|ansible-pull|ansible-galaxy|ansible-console : admin net
    ansible-inventory|ansible-doc|ansible-config|ansible-lint : query
    ansible-playbook : admin net
    . ^--syntax-check|--list-tasks|--list-hosts|--list-tags : query
    salt|salt-call|salt-ssh|puppet|chef-client|knife|chef|cfengine|bolt|fab : admin net
    packer validate|inspect|version : query
    . fmt : mutate
    . * : admin net
    nomad|consul|boundary status|members|version|info|catalog : query net
    . operator raft|autopilot list-peers|get-config|health : query net
    . kv get|list : query net
    . * : admin net
    nomad system|node gc|drain|purge : destroy net
    . job stop|purge : destroy net
    . stop|purge : destroy net
    consul kv delete : destroy net
    . leave|force-leave : destroy net

    vault list|read|status|version|path-help : query net
    . debug : mutate net
    . print : admin net
    . secrets|policy|token|auth|audit list|lookup|read|get|info|capabilities : query net
    . lease|namespace|plugin|operator|kv list|lookup|read|get|info|capabilities : query net
    . read|kv get : admin net
    . kv|secrets|auth|policy|token|write|login|lease|operator|ssh|unwrap|audit|plugin|namespace|pki : admin net
    . delete|revoke|seal|step-down : destroy net
    . secrets|auth|audit disable|move : destroy net
    . kv delete|destroy|undelete|rollback : destroy net
    . kv metadata delete : destroy net
    . policy|namespace|plugin|lease|token delete|deregister|revoke : destroy net
    . operator seal|step-down|raft|rekey|rotate|key-status|generate-root : destroy net
    op whoami|--version|user|account|vault|group|item|document list|get|ls : query net
    . whoami|--version : query net
    . item|document get : admin net
    . read|inject|signin|signout|connect|service-account|events-api|update|item|document|vault|user|group : admin net
    . item|document|vault|user|group|connect delete|remove|revoke|suspend|archive : destroy net
    doppler configs|projects|environments|me|activity|settings list|get|$ : query net
    . secrets $ : admin net
    . secrets|run|setup|login|logout|configure|import|configs|projects|environments * : admin net
    . setup|login|logout|configure|import|me|update|whoami : admin net
    . secrets|configs|projects|environments delete|unlock : destroy net
    bw|lpass|pass|gopass|keepassxc-cli|secret-tool|security|infisical|chamber|sops|age : admin
    pass|gopass|bw|lpass|keepassxc-cli rm|delete|remove : destroy
    security delete-* : destroy
    chamber delete : destroy

    gitlab-runner list|status|verify|--version : query net
    . * : admin net
    . unregister|stop|uninstall : destroy net
    circleci context|orb|pipeline|project|config|runner list|info|validate|show|search|process|source : query net
    . diagnostic|version|help|info : query net
    . * : admin net
    . context|orb|pipeline|project|runner|namespace delete|remove-secret|unlist : destroy net
    jenkins-cli who-am-i|get-*|list-*|version|help|console : query net
    . * : admin net
    . delete-*|quiet-down|shutdown|safe-shutdown|restart|safe-restart|clear-queue|groovy|groovysh : destroy net
    . disable-*|offline-node|disconnect-node : admin net
    buildkite-agent|drone|travis|tkn|woodpecker-cli|act : admin net
    """,
)
