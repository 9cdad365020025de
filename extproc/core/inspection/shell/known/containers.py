"""Containers and clusters."""

from typing import Final

__all__ = ["CONTAINERS"]

CONTAINERS: Final = (
    """
    docker|podman|nerdctl|buildah|finch takes -H --host -c --context --config -l --log-level --tlscacert --tlscert
    docker|podman|nerdctl|finch takes --tlskey --url --connection --root --runroot -f --file --namespace -n
    . takes --project-name
    . flags -D --debug --tls --tlsverify
    . ps|images|inspect|logs|info|version|stats|top|port|diff|history|events|help : query
    . search : query net
    . manifest inspect : query net
    . manifest * : mutate net
    . container|image|volume|network|context|plugin|node|service|stack|secret|config ls : query
    . container|image|volume|network|context|plugin|node|service|stack|secret list|ps : query
    . container|image|volume|network|context|plugin|node|service|config inspect|show : query
    . container|image|service|pod logs|top|stats|port|diff|history|exists : query
    . system df|info|events : query
    . compose ps|logs|config|images|top|ls|version|events|port|convert : query
    . buildx ls|inspect|du|version : query
    . buildx imagetools inspect : query net
    . buildx imagetools create : mutate net
    . compose config|convert -o|--output : mutate
    . build|tag|commit|start|stop|restart|pause|unpause|rename|update|wait|kill|save : mutate
    . create|load|import|export|cp|attach|rm|rmi|init|generate|machine|pod|bake : mutate
    . pull|push : mutate net
    . login|logout|trust|scout|swarm|plugin|service|stack|node|secret|config|context : admin net
    . container|image|volume|network|builder|buildx|pod * : mutate
    . compose * : mutate
    . rm -f|--force|-v|--volumes|-a|--all : destroy
    . container rm -f|--force|-v|--volumes : destroy
    . container|system prune|reset : destroy
    . volume|secret|config|stack|service|node|plugin|machine|pod rm|remove|prune : destroy
    . image prune -a|--all : destroy
    . rmi -a|--all : destroy
    . swarm leave : destroy
    . compose|stack down -v|--volumes|--rmi : destroy
    . compose rm : destroy
    docker-compose|podman-compose takes -f --file -p --project-name --profile --env-file
    . ps|logs|config|images|top|version|events|port : query
    . * : mutate
    . down -v|--volumes|--rmi : destroy
    . rm : destroy
    crictl|ctr ps|images|inspect|logs|pods|info|version|stats : query
    . * : admin
    crictl rm|rmi|rmp|stopp : destroy
    lxc|incus list|ls|info|version : query
    . image $ : query
    . image list|ls|info|show : query
    . * : admin
    . delete|restore : destroy
    . image|network|storage|profile|snapshot delete|rm : destroy
    lxc-ls|lxc-info : query
    lxc-destroy : destroy
    multipass|limactl list|ls|info|version : query
    . * : admin
    . delete|purge|factory-reset : destroy
    crane|skopeo manifest|digest|ls|catalog|config|validate|inspect|list-tags : query net
    . * : mutate net
    . delete : destroy net

    kubectl|oc|k takes -n --namespace --context --cluster --kubeconfig --user --server -s --token --as --as-group -o
    . takes --output -l --selector -f --filename -c --container --field-selector --request-timeout -v -k
    . takes --since --tail --sort-by -p --patch --type --template --timeout --certificate-authority --revision
    . flags -A --all-namespaces -w --watch --show-labels --no-headers --insecure-skip-tls-verify
    . get|describe|logs|top|explain|version|api-resources|api-versions|cluster-info|diff|wait : query net
    . events|kustomize|completion|options|whoami|status|projects|adm : query net
    . auth can-i|whoami : query net
    . cluster-info dump --output-directory : mutate net
    . kustomize -o|--output : mutate net
    . rollout status|history : query net
    . config view|get-contexts|current-context|get-clusters|get-users : query
    . get|describe secret|secrets|secret/*|secrets/* : admin net
    . get secret*,*|*,secret*|all,secret* : admin net
    . config view --raw : admin
    . get --raw : admin net
    . apply|create|expose|label|annotate|scale|autoscale|set|patch|edit|rollout|new-app|start-build : mutate net
    . replace|port-forward|cp|tag|import-image|process|project|login|logout : mutate net
    . config * : mutate
    . certificate|taint|cordon|uncordon|proxy|attach|policy|adm|plugin|krew|auth : admin net
    . delete|drain !--dry-run=client|--dry-run=server|--dry-run : destroy net
    . adm drain|prune|policy : destroy net
    . replace --force : destroy net
    . apply --prune|--force : destroy net
    . config delete-*|unset : destroy
    helm takes -n --namespace --kube-context --kubeconfig -f --values --set --version --repo --revision
    . list|ls|status|get|show|search|template|history|hist|version|lint|env|verify|completion : query net
    . template|show|get --output-dir : mutate net
    . template|lint --post-renderer : admin net
    . repo|dependency|dep|plugin|registry list : query
    . install|upgrade|repo|pull|push|package|dependency|dep|create|rollback|test : mutate net
    . plugin|registry : admin net
    . uninstall|delete|del|un : destroy net
    . upgrade --force : destroy net
    kustomize build|version : query
    kind|minikube|k3d|vcluster get|list|status|version|ip|describe|profile|logs : query net
    eksctl|kops|kubeadm|rancher|talosctl get|list|status|version|ip|describe|profile|logs : query net
    . * : admin net
    . delete|reset|wipe|destroy : destroy net
    kind|minikube|k3d|vcluster|eksctl|kops|rancher|talosctl * delete|destroy|rm : destroy net
    argocd|flux|istioctl|linkerd|velero|cilium get|list|describe|version|logs : query net
    argocd|flux|istioctl|linkerd|velero|cilium diff|history|check|proxy-status|stats : query net
    . * get|list|describe|logs|diff|history|show|manifests : query net
    . * : admin net
    . * delete|rm|remove|uninstall|purge : destroy net
    argocd|flux|istioctl|linkerd|cilium delete|uninstall|purge : destroy net
    velero delete : destroy net
    """,
)
