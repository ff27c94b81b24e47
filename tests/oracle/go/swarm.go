package main

type annotations struct {
	Name   string
	Labels map[string]string
}

type serviceSpec struct {
	annotations
	TaskTemplate                 taskTemplate
	Mode                         serviceMode
	UpdateConfig, RollbackConfig *rollout
	Networks                     []attachment
	EndpointSpec                 *endpointSpec
}

type serviceMode struct {
	Replicated    *struct{ Replicas *uint64 }
	Global        *struct{}
	ReplicatedJob *struct{ MaxConcurrent, TotalCompletions *uint64 }
	GlobalJob     *struct{}
}

type rollout struct {
	Parallelism     uint64
	Delay           int64
	FailureAction   string
	Monitor         int64
	MaxFailureRatio float32 `oracle:"rounding"`
	Order           string
}

type endpointSpec struct {
	Mode  string
	Ports []portConfig
}

type portConfig struct {
	Name, Protocol            string
	TargetPort, PublishedPort uint32
	PublishMode               string
}

type taskTemplate struct {
	ContainerSpec         *containerSpec
	PluginSpec            *pluginSpec
	NetworkAttachmentSpec *struct{ ContainerID string }
	Resources             *taskResources
	RestartPolicy         *taskRestart
	Placement             *placement
	Networks              []attachment
	LogDriver             *driver
	ForceUpdate           uint64
	Runtime               string
}

type attachment struct {
	Target     string
	Aliases    []string
	DriverOpts map[string]string
}

type pluginSpec struct {
	Name       string             `json:"name"`
	Remote     string             `json:"remote"`
	Privileges []*pluginPrivilege `json:"privileges"`
	Disabled   bool               `json:"disabled"`
	Env        []string           `json:"env"`
}

type taskResources struct {
	Limits                      *limit
	Reservations                *reservation
	SwapBytes, MemorySwappiness *int64
}

type limit struct{ NanoCPUs, MemoryBytes, Pids int64 }

type reservation struct {
	NanoCPUs, MemoryBytes int64
	GenericResources      []genericResource
}

type genericResource struct {
	NamedResourceSpec    *struct{ Kind, Value string }
	DiscreteResourceSpec *struct {
		Kind  string
		Value int64
	}
}

type taskRestart struct {
	Condition   string
	Delay       *int64
	MaxAttempts *uint64
	Window      *int64
}

type placement struct {
	Constraints []string
	Preferences []struct {
		Spread *struct{ SpreadDescriptor string }
	}
	MaxReplicas uint64
	Platforms   []struct{ Architecture, OS string }
}

type containerSpec struct {
	Image                         string
	Labels                        map[string]string
	Command, Args                 []string
	Hostname                      string
	Env                           []string
	Dir, User                     string
	Groups                        []string
	Privileges                    *privileges
	Init                          *bool
	StopSignal                    string
	TTY, OpenStdin, ReadOnly      bool
	Mounts                        []mount
	StopGracePeriod               *int64
	Healthcheck                   *healthcheck
	Hosts                         []string
	DNSConfig                     *struct{ Nameservers, Search, Options []string }
	Secrets                       []*secretReference
	Configs                       []*configReference
	Isolation                     string
	Sysctls                       map[string]string
	CapabilityAdd, CapabilityDrop []string
	Ulimits                       []*ulimit
	OomScoreAdj                   int64
}

type privileges struct {
	CredentialSpec *struct{ Config, File, Registry string }
	SELinuxContext *struct {
		Disable                 bool
		User, Role, Type, Level string
	}
	Seccomp *struct {
		Mode    string
		Profile []byte
	}
	AppArmor        *struct{ Mode string }
	NoNewPrivileges bool
}

type secretReference struct {
	File                 *fileTarget
	SecretID, SecretName string
}

type configReference struct {
	File                 *fileTarget
	Runtime              *struct{}
	ConfigID, ConfigName string
}

type fileTarget struct {
	Name, UID, GID string
	Mode           uint32
}

type secretSpec struct {
	annotations
	Data               []byte
	Driver, Templating *driver
}

type configSpec struct {
	annotations
	Data       []byte
	Templating *driver
}

type nodeSpec struct {
	annotations
	Role, Availability string
}

type swarmSpec struct {
	annotations
	Orchestration struct{ TaskHistoryRetentionLimit *int64 }
	Raft          struct {
		SnapshotInterval            uint64
		KeepOldSnapshots            *uint64
		LogEntriesForSlowFollowers  uint64
		ElectionTick, HeartbeatTick int
	}
	Dispatcher       struct{ HeartbeatPeriod int64 }
	CAConfig         caConfig
	TaskDefaults     struct{ LogDriver *driver }
	EncryptionConfig struct{ AutoLockManagers bool }
}

type caConfig struct {
	NodeCertExpiry              int64
	ExternalCAs                 []*externalCA
	SigningCACert, SigningCAKey string
	ForceRotate                 uint64
}

type externalCA struct {
	Protocol, URL string
	Options       map[string]string
	CACert        string
}

type swarmInit struct {
	ListenAddr, AdvertiseAddr, DataPathAddr string
	DataPathPort                            uint32
	ForceNewCluster                         bool
	Spec                                    swarmSpec
	AutoLockManagers                        bool
	Availability                            string
	DefaultAddrPool                         []string
	SubnetSize                              uint32
}

type swarmJoin struct {
	ListenAddr, AdvertiseAddr, DataPathAddr string
	RemoteAddrs                             []string
	JoinToken, Availability                 string
}

type swarmUnlock struct{ UnlockKey string }
