package main

import "encoding/json"

// words is a list that may be written as one string (strslice.StrSlice).
type words []string

func (w *words) UnmarshalJSON(text []byte) error {
	list := []string{}
	if err := json.Unmarshal(text, &list); err != nil {
		var one string
		if err := json.Unmarshal(text, &one); err != nil {
			return err
		}
		list = append(list, one)
	}
	*w = list
	return nil
}

// containerCreate is the body of a create since engine 27.
type containerCreate struct {
	*ContainerConfig
	HostConfig       *HostConfig
	NetworkingConfig *networkingConfig
}

// olderContainerCreate is the body up to engine 26: HostConfig is embedded a second time, so that its
// fields are taken at the top level too.
type olderContainerCreate struct {
	*ContainerConfig
	InnerHostConfig  *HostConfig `json:"HostConfig"`
	Cpuset           string
	NetworkingConfig *networkingConfig
	*HostConfig      `oracle:"embedded"`
}

// commit has what is used of the body of a commit: the rest of a create is read too, and thrown away.
type commit struct{ *ContainerConfig }

// ContainerConfig has a name of its own to the outside, else Go cannot set it where it is embedded.
type ContainerConfig struct {
	Hostname, Domainname, User              string
	AttachStdin, AttachStdout, AttachStderr bool
	ExposedPorts                            map[string]struct{}
	Tty, OpenStdin, StdinOnce               bool
	Env                                     []string
	Cmd                                     words
	Healthcheck                             *healthcheck
	ArgsEscaped                             bool
	Image                                   string
	Volumes                                 map[string]struct{}
	WorkingDir                              string
	Entrypoint                              words
	NetworkDisabled                         bool
	MacAddress                              string
	OnBuild                                 []string
	Labels                                  map[string]string
	StopSignal                              string
	StopTimeout                             *int
	Shell                                   words
}

type healthcheck struct {
	Test                                          []string
	Interval, Timeout, StartPeriod, StartInterval int64
	Retries                                       int
}

type resources struct {
	CpuShares, Memory, NanoCpus               int64
	CgroupParent                              string
	BlkioWeight                               uint16
	BlkioWeightDevice                         []*weightDevice
	BlkioDeviceReadBps, BlkioDeviceWriteBps   []*throttleDevice
	BlkioDeviceReadIOps, BlkioDeviceWriteIOps []*throttleDevice
	CpuPeriod, CpuQuota                       int64
	CpuRealtimePeriod, CpuRealtimeRuntime     int64
	CpusetCpus, CpusetMems                    string
	Devices                                   []device
	DeviceCgroupRules                         []string
	DeviceRequests                            []deviceRequest
	KernelMemory, KernelMemoryTCP             int64
	MemoryReservation, MemorySwap             int64
	MemorySwappiness                          *int64
	OomKillDisable                            *bool
	PidsLimit                                 *int64
	Ulimits                                   []*ulimit
	CpuCount, CpuPercent                      int64
	IOMaximumIOps, IOMaximumBandwidth         uint64
}

// HostConfig is embedded too.
type HostConfig struct {
	Binds                       []string
	ContainerIDFile             string
	LogConfig                   logConfig
	NetworkMode                 string
	PortBindings                map[string][]portBinding
	RestartPolicy               restartPolicy
	AutoRemove                  bool
	VolumeDriver                string
	VolumesFrom                 []string
	ConsoleSize                 [2]uint
	Annotations                 map[string]string
	CapAdd, CapDrop             words
	Capabilities                []string // engine 19.03
	CgroupnsMode                string
	Dns, DnsOptions, DnsSearch  []string
	ExtraHosts, GroupAdd        []string
	IpcMode, Cgroup             string
	Links                       []string
	OomScoreAdj                 int
	PidMode                     string
	Privileged, PublishAllPorts bool
	ReadonlyRootfs              bool
	SecurityOpt                 []string
	StorageOpt, Tmpfs           map[string]string
	UTSMode, UsernsMode         string
	ShmSize                     int64
	Sysctls                     map[string]string
	Runtime, Isolation          string
	resources
	Mounts                     []mount
	MaskedPaths, ReadonlyPaths []string
	Init                       *bool
}

type weightDevice struct {
	Path   string
	Weight uint16
}

type throttleDevice struct {
	Path string
	Rate uint64
}

type device struct{ PathOnHost, PathInContainer, CgroupPermissions string }

type deviceRequest struct {
	Driver       string
	Count        int
	DeviceIDs    []string
	Capabilities [][]string
	Options      map[string]string
}

type ulimit struct {
	Name       string
	Hard, Soft int64
}

type logConfig struct {
	Type   string
	Config map[string]string
}

type portBinding struct{ HostIp, HostPort string }

type restartPolicy struct {
	Name              string
	MaximumRetryCount int
}

type mount struct {
	Type, Source, Target string
	ReadOnly             bool
	Consistency          string
	BindOptions          *bindOptions
	VolumeOptions        *volumeOptions
	ImageOptions         *imageOptions
	TmpfsOptions         *tmpfsOptions
	ClusterOptions       *struct{}
}

type bindOptions struct {
	Propagation                                  string
	NonRecursive, CreateMountpoint               bool
	ReadOnlyNonRecursive, ReadOnlyForceRecursive bool
}

type volumeOptions struct {
	NoCopy       bool
	Labels       map[string]string
	Subpath      string
	DriverConfig *driver
}

type imageOptions struct{ Subpath string }

type tmpfsOptions struct {
	SizeBytes int64
	Mode      uint32
	Options   [][]string
}

// driver is of volumes, logs, secrets, templates.
type driver struct {
	Name    string
	Options map[string]string
}

type containerUpdate struct {
	resources
	RestartPolicy restartPolicy
}

type execCreate struct {
	User                                            string
	Privileged, Tty                                 bool
	ConsoleSize                                     *[2]uint
	AttachStdin, AttachStderr, AttachStdout, Detach bool
	DetachKeys                                      string
	Env                                             []string
	WorkingDir                                      string
	Cmd                                             []string
}

type execStart struct {
	Detach, Tty bool
	ConsoleSize *[2]uint
}

type checkpointCreate struct {
	CheckpointID, CheckpointDir string
	Exit                        bool
}

type authConfig struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Auth          string `json:"auth"`
	Email         string `json:"email"`
	ServerAddress string `json:"serveraddress"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

type pluginPrivilege struct {
	Name, Description string
	Value             []string
}
