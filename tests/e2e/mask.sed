# What two daemons that did the same cannot have in common (sed -E). Each line says why.
# a daemon's own directories
s#[^" =]*(direct|gated)-daemon#DAEMON#g
# ids, whole and shortened, and digests
s#\b[0-9a-f]{64}\b#ID64#g
s#\b[0-9a-f]{12}\b#ID12#g
# the daemon's own id, a cache id, a generated name's number
s#\b[A-Z0-9]{4}(:[A-Z0-9]{4}){11}\b#DAEMON-ID#g
s#\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-([0-9a-f]{12}|ID12)\b#DAEMON-ID#g
s#\b[a-z0-9]{25}\b#ID25#g
# MAC addresses that engines from 28 on draw by lot; those of older ones follow from the IP address
s#\b(0[6ae]|[1-9a-f][26ae])(:[0-9a-f]{2}){5}\b#MAC#g
s#\b02:([0-35-9a-f][0-9a-f]|4[013-9a-f])(:[0-9a-f]{2}){4}\b#MAC#g
# times: RFC 3339, docker's own, ctime, and how long ago
s#[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?( ?Z| ?[+-][0-9:]+( UTC)?)?#TIME#g
s#\b[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\b#TIME#g
s#(About a|Less than a|[0-9]+) (second|minute)s?( ago)?#AGO#g
s#\b[0-9.]+s\b#SECONDS#g
# the lowest version served is the gate's own to say
s#\(minimum version [0-9.]+\)#(minimum version N)#
# process numbers
s#"Pid": [0-9]+#"Pid": N#
# what containerd's store frees is compressed, and so of no certain size
s#(reclaimed space: )[0-9.]+[kM]?B#\1SIZE#
# how far a layer was when somebody looked
/^ID12: (Waiting|Preparing|Pushing)/d
# columns grow with what was masked
s# {2,}#  #g
# what command line 20.10 says or not, by chance, when a container never started
/error waiting for container: context canceled/d
