#!/bin/sh
# Lays out in <directory> what the operator's image holds besides the program: node, the libraries that it loads, where they are looked for,
# and the descriptions of the Debian packages that these come from.  usage: runtime-files.sh <directory>
set -eu
root=$1
node=$(command -v node)

# -L: the files themselves, under the names by which they are asked for.
mkdir -p "$root/usr/local/bin"
cp -L "$node" "$root/usr/local/bin/node"
ldd "$node" | grep -o '/[^ )]*' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

mkdir -p "$root/var/lib/dpkg/status.d"
ldd "$node" | grep -o '/[^ )]*' | while read -r library; do
  # By its last part: dpkg may know the file under /usr/lib and the loader under /lib.
  dpkg -S "*/$(basename "$library")" | sed 's/[:,].*//' | head -n 1
done | sort -u | while read -r package; do
  dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
done

mkdir -p "$root/etc" "$root/home/nonroot" "$root/tmp"
chmod 1777 "$root/tmp"
# Names for tools that ask, and the order in which host names are looked up; /etc/hosts and /etc/resolv.conf are Kubernetes's.
echo 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$root/etc/passwd"
echo 'nonroot:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
if [ -e /etc/os-release ]; then cp -L /etc/os-release "$root/etc/os-release"; fi
