"""Databases, queues, search, backup: clients whose subcommands are words; SQL clients have rules of their own."""

from typing import Final

__all__ = ["STORES"]

STORES: Final = (
    """
    dropdb|dropuser|pg_dropcluster|pg_resetwal|pg_archivecleanup : destroy net
    createdb|createuser|reindexdb|vacuumdb|clusterdb : admin net
    pg_ctl|pg_ctlcluster|pg_createcluster|initdb|pg_upgrade : admin net
    pg_dump|pg_dumpall|pg_isready|pg_lsclusters|pg_controldata|pg_waldump|pg_walsummary : query net
    pg_dump|pg_dumpall -f|--file : mutate net =-f|--file
    pg_restore : admin net
    . ^-l|--list : query
    . -c|--clean : destroy net
    pg_recvlogical --drop-slot : destroy net
    pg_ctl stop|kill : destroy
    mysqldump|mysqlshow : query net
    mysqldump -r|--result-file|-T|--tab : mutate net
    mysqldump -F|--flush-logs|--flush-privileges : admin net
    mysqldump --delete-master-logs|--delete-source-logs : destroy net
    mysqladmin status|version|ping|processlist|variables|extended-status : query net
    . * : admin net
    . drop|shutdown|flush-*|kill|password : destroy net
    mysqlimport|mysqlcheck|mysqlpump|myisamchk : admin net
    mongostat|mongotop|bsondump|mongoexport : query net
    mongodump : mutate net =-o|--out
    mongoexport -o|--out : mutate net =-o|--out
    bsondump --outFile : mutate
    mongorestore|mongoimport : admin net
    . --drop : destroy net
    redis-cli|valkey-cli|keydb-cli takes -h -p -a -n -u --user --pass -s -r -i --cacert --cert --key
    . GET|MGET|KEYS|SCAN|TYPE|TTL|PTTL|EXISTS|STRLEN|LRANGE|LLEN|HGET|HGETALL|HKEYS : query net
    . get|mget|keys|scan|type|ttl|pttl|exists|strlen|lrange|llen|hget|hgetall|hkeys : query net
    . SMEMBERS|ZRANGE|INFO|PING|DBSIZE|MONITOR|TIME|smembers|zrange|info|ping|dbsize|monitor|time|object : query net
    . CLIENT|client LIST|list|INFO|info|ID|id|GETNAME|getname : query net
    . MEMORY|memory USAGE|usage|STATS|stats|DOCTOR|doctor : query net
    . SLOWLOG|slowlog|LATENCY|latency GET|get|LEN|len|HISTORY|history|LATEST|latest|DOCTOR|doctor : query net
    . SET|set|INCR|incr|HSET|hset|LPUSH|lpush|RPUSH|rpush|SADD|sadd|EXPIRE|expire|PUBLISH : mutate net
    . publish|setex|SETEX|ZADD|zadd|APPEND|append : mutate net
    . FLUSHALL|FLUSHDB|flushall|flushdb|DEL|del|UNLINK|unlink|SHUTDOWN|shutdown : destroy net
    . CONFIG|config|DEBUG|debug|SLAVEOF|slaveof|REPLICAOF|replicaof|EVAL|eval|MODULE|module : destroy net
    . SWAPDB|swapdb|MIGRATE|migrate|RESTORE|restore|SCRIPT|script|ACL|acl|HDEL|hdel : destroy net
    . --eval|--pipe|--functions-rdb : destroy net
    etcdctl get|version|watch : query net
    . endpoint|member|alarm|lease|user|role list|status|health|hashkv|get|timetolive : query net
    . check|alarm|member : admin net
    . put|txn|lease|lock|elect|compaction|defrag|snapshot|auth|role|user|move-leader : admin net
    . del|rm|rmdir : destroy net
    . member|role|user|lease remove|delete|revoke : destroy net

    kafka-topics|kafka-topics.sh|kafka-consumer-groups : mutate net
    kafka-consumer-groups.sh|kafka-acls|kafka-configs|kafka-configs.sh : mutate net
    kafka-acls.sh|kafka-delete-records|kafka-delete-records.sh|kafka-streams-application-reset : admin net
    kafka-topics|kafka-topics.sh --delete|--reset-offsets|--delete-offsets : destroy net
    kafka-consumer-groups|kafka-consumer-groups.sh --delete|--reset-offsets|--delete-offsets : destroy net
    kafka-configs|kafka-configs.sh --delete-config : destroy net
    kafka-acls|kafka-acls.sh --remove : destroy net
    kafka-delete-records|kafka-delete-records.sh|kafka-streams-application-reset : destroy net
    kafka-console-consumer|kafka-console-consumer.sh|kcat|kafkacat : query net
    kcat|kafkacat -P : mutate net
    kafka-console-producer|kafka-console-producer.sh : mutate net
    rpk cluster|topic|group list|describe|info|health|consume : query net
    . * : admin net
    . topic|group delete : destroy net
    rabbitmqctl takes -n -p --vhost -t --timeout -q
    . list_*|status|cluster_status|report|environment|ping|version|node_health_check : query net
    . * : admin net
    . delete_*|clear_*|reset|force_reset|purge_queue|stop|stop_app|forget_cluster_node|close_* : destroy net
    . eval|eval_file|change_password|set_permissions|rotate_logs : destroy net
    rabbitmqadmin list|show|help : query net
    . get|export : mutate net
    . declare|publish|import|close : admin net
    . delete|purge : destroy net
    rabbitmq-diagnostics : query net
    rabbitmq-queues|rabbitmq-plugins|rabbitmq-upgrade : admin net
    rabbitmq-queues delete_member|shrink : destroy net
    nats stream|consumer|kv|server|account|object|context list|ls|info|get|report|view : query net
    nats stream|consumer|kv|server|account|object|context watch|status|check|history|show|graph : query net
    . rtt|latency|schema|events|top : query net
    . account|server : admin net
    . account purge|restore : destroy net
    . pub|publish|sub|subscribe|req|request|reply|stream : admin net
    . consumer|kv|object|context|bench|auth|backup|restore : admin net
    . stream|consumer|kv|object|context delete|del|rm|purge|rmm|seal|remove : destroy net
    curator|elasticdump|es|opensearch-cli|algolia|meilisearch : admin net

    restic|borg|kopia|duplicity|rustic takes -r --repo -p --password-file --repository-file
    restic|rustic snapshots|check|stats|ls|find|list|diff|cat|version|dump|cache : query net
    . key list : query net
    . cache --cleanup : mutate
    . backup|restore|mount|init|copy|unlock|tag|recover|repair|rebuild-index|self-update|migrate : mutate net
    . forget|prune !--dry-run|-n : destroy net
    . key remove|passwd|add : destroy net
    borg list|info|check|diff|version|help|benchmark : query net
    . check --repair : destroy net
    . create|extract|mount|umount|init|rcreate|rename : mutate net
    . export-tar|import-tar|with-lock|break-lock|serve|key|config|upgrade : mutate net
    . delete|prune|compact|rdelete|recreate|transfer !--dry-run|-n : destroy net
    kopia snapshot|policy|content|repository list|show|ls|status : query net
    . * : admin net
    . snapshot|policy|content|blob delete|expire|remove|gc : destroy net
    duplicity remove-* : destroy net
    tarsnap -d|--nuke : destroy net
    snapper|timeshift|rsnapshot|snapraid : admin
    snapper|timeshift list|ls|status|diff|get-config|list-configs : query
    snapper delete|rm|cleanup|rollback|undochange|delete-config : destroy
    timeshift --delete|--delete-all|--restore : destroy
    rclone ls|lsd|lsl|lsjson|lsf|size|check|cat : query net
    rclone tree|about|listremotes|version|hashsum|md5sum|sha1sum|help|cryptcheck : query net
    . sync|copy|copyto|mount|mkdir|touch|config|serve|rcat : mutate net
    . copyurl|link|bisync|settier|dedupe|backend|rcd|rc|authorize : mutate net
    . sync --delete-before|--delete-during|--delete-after|--delete-excluded|--max-delete !--dry-run|-n : destroy net
    . delete|deletefile|purge|rmdir|rmdirs|cleanup|move|moveto !--dry-run|-n : destroy net
    . dedupe|bisync --resync : destroy net
    . config delete|password|disconnect : admin net
    mc|s3cmd|s5cmd|b2|azcopy|swift ls|list|stat|cat|head|du|find|info|diff|tree : query net
    . * : mutate net
    . rm|rb|del|delete|remove|delete-*|mv|expire : destroy net
    mc find --exec : destroy net
    swift build|test|run|package|repl : admin
    mc|s3cmd|azcopy mirror|sync --remove|--delete-removed|--delete-destination : destroy net
    dolt|sqitch|flyway|liquibase|alembic|knex|prisma|typeorm : admin
    sequelize|dbmate|goose|migrate|atlas|rails|rake|artisan : admin
    dolt status|log|diff|show|ls|blame : query
    . branch $ : query
    . branch * : mutate
    . branch -D|-M|-C : destroy
    . schema show|export : query
    . reset --hard : destroy
    flyway clean : destroy
    liquibase drop-all|dropAll|rollback : destroy
    prisma migrate reset : destroy
    . db push|execute : admin
    rails|rake db:drop*|db:reset|db:purge|db:schema:load|db:truncate_all|db:migrate:reset : destroy
    alembic downgrade : destroy
    migrate|goose|dbmate drop|reset|down : destroy
    hdfs|hadoop * : admin net
    . dfs|fs -rm|-rmr|-rmdir|-expunge|-truncate : destroy net
    hdfs namenode -format : destroy net
    """,
)
