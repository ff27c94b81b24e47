package main

// bodies has every JSON that the daemon decodes: bodies by Docker's operation id, query values by their
// key after a question mark, headers by name. A further one is a struct and a line.
var bodies = map[string]body{
	"ContainerCreate":   {fresh: fresh[containerCreate], older: fresh[olderContainerCreate]},
	"ContainerUpdate":   {fresh: fresh[containerUpdate]},
	"ContainerExec":     {fresh: fresh[execCreate]},
	"ExecStart":         {fresh: fresh[execStart]},
	"CheckpointCreate":  {fresh: fresh[checkpointCreate]},
	"ImageCommit":       {fresh: fresh[commit]},
	"ImagePush":         {fresh: fresh[authConfig]},
	"SystemAuth":        {fresh: fresh[*authConfig]},
	"VolumeCreate":      {fresh: fresh[volumeCreate]},
	"VolumeUpdate":      {fresh: fresh[volumeUpdate]},
	"NetworkCreate":     {fresh: fresh[networkCreate]},
	"NetworkConnect":    {fresh: fresh[networkConnect]},
	"NetworkDisconnect": {fresh: fresh[networkDisconnect]},
	"ServiceCreate":     {fresh: fresh[serviceSpec]},
	"ServiceUpdate":     {fresh: fresh[serviceSpec]},
	"SecretCreate":      {fresh: fresh[secretSpec]},
	"SecretUpdate":      {fresh: fresh[secretSpec]},
	"ConfigCreate":      {fresh: fresh[configSpec]},
	"ConfigUpdate":      {fresh: fresh[configSpec]},
	"NodeUpdate":        {fresh: fresh[nodeSpec]},
	"SwarmInit":         {fresh: fresh[swarmInit]},
	"SwarmJoin":         {fresh: fresh[swarmJoin]},
	"SwarmUpdate":       {fresh: fresh[swarmSpec]},
	"SwarmUnlock":       {fresh: fresh[swarmUnlock]},
	"PluginPull":        {fresh: fresh[[]pluginPrivilege]},
	"PluginUpgrade":     {fresh: fresh[[]pluginPrivilege]},
	"PluginSet":         {fresh: fresh[[]string]},

	"?buildargs":        {fresh: fresh[map[string]*string], absent: true},
	"?cachefrom":        {fresh: fresh[[]string], absent: true},
	"?filters":          {fresh: noFilters, absent: true},
	"?labels":           {fresh: fresh[map[string]string], absent: true},
	"?outputs":          {fresh: fresh[[]buildOutput], absent: true},
	"?platform":         {fresh: fresh[platform], absent: true},
	"?platforms":        {fresh: fresh[platform], absent: true},
	"?ulimits":          {fresh: fresh[[]*ulimit], absent: true},
	"x-registry-auth":   {fresh: fresh[authConfig], absent: true},
	"x-registry-config": {fresh: fresh[map[string]authConfig], absent: true},
}

func fresh[T any]() any { return new(T) }
