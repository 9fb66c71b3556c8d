#!/bin/sh
#
# Install missing Debian packages, as root, without creating a database cluster
# and without starting, stopping or upgrading one that exists.
#
#	install_packages.sh PACKAGE...
#
# A package postgresql-NN creates and starts a cluster when it is first
# installed.  Two temporary files prevent this: a drop-in of
# postgresql-common's and, where there is none, a policy-rc.d.

set -eu
dropin_dir=/etc/postgresql-common/createcluster.d
dropin=$dropin_dir/zz-returns-no-cluster.conf
policy=/usr/sbin/policy-rc.d
made_dir=""
made_policy=""

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1

tidy()
{
	rm -f "$dropin"
	[ -z "$made_dir" ] || rmdir "$dropin_dir" 2>/dev/null || :
	[ -z "$made_policy" ] || rm -f "$policy"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

apt_install()
{
	apt-get install -y -q --no-install-recommends --no-upgrade \
		"$@" </dev/null
}

if [ ! -e "$policy" ]
then
	made_policy=yes
	printf '#!/bin/sh\nexit 101\n' > "$policy"
	chmod 755 "$policy"
fi

# Its configuration must exist before a server package is installed.
[ -e /etc/postgresql-common/createcluster.conf ] || apt_install postgresql-common

if [ ! -d "$dropin_dir" ]
then
	mkdir "$dropin_dir"
	made_dir=yes
fi
printf 'create_main_cluster = false\n' > "$dropin"

apt_install "$@"
