# The docker-api gem, in its everyday use: each call prints a line of what came of it, the same straight and through a gate.
# It sends JSON with every POST that it has options for, and calls what has no body text/plain.
# frozen_string_literal: true

require 'docker'
require 'json'
require 'rubygems/package'
require 'stringio'
require 'tmpdir'

Docker.options = { read_timeout: 60 }
BUSY = { 'Image' => 'busybox', 'Cmd' => ['sh', '-c', 'trap exit TERM; echo up; while :; do sleep 0.1; done'] }.freeze
$failed = false

def says(name)
  puts "#{name}: #{JSON.generate(yield)}"
rescue StandardError => e
  puts "#{name}: failed, #{e.class}: #{e.message}"
  $failed = true
end

def refused
  yield
  'not refused'
rescue Docker::Error::DockerError, Excon::Error => e
  e.class.name
end

def eventually(what)
  600.times do
    return what if yield
    sleep 0.05
  end
  raise "never #{what}"
end

def names(tar)
  found = []
  Gem::Package::TarReader.new(StringIO.new(tar)) { |reader| reader.each { |entry| found << entry.full_name } }
  found.sort
end

def containers
  box = nil
  says('create') do
    box = Docker::Container.create(BUSY.merge(
      'name' => 'gem-web', 'Env' => ['A=b'], 'Labels' => { 'of' => 'gem' }, 'ExposedPorts' => { '80/tcp' => {} },
      'HostConfig' => { 'PortBindings' => { '80/tcp' => [{ 'HostIp' => '127.0.0.1', 'HostPort' => '0' }] }, 'Binds' => ['gem-data:/data'], 'Memory' => 67_108_864 }
    ))
    box.id.length
  end
  says('create, of a name that is taken') { refused { Docker::Container.create(BUSY.merge('name' => 'gem-web')) } }
  says('start') { box.start!.class.name }
  says('start, once more') { box.start!({}).class.name }
  says('inspect') { seen = box.json; [seen['Name'], seen['State']['Running'], seen['HostConfig']['Memory'], seen['Mounts'][0]['Name']] }
  says('refresh') { box.refresh!.info['State'].class.name }
  says('list') { Docker::Container.all(all: true, filters: { label: ['of=gem'] }.to_json).map { |of| of.info['Names'] } }
  says('logs') { eventually('told') { box.logs(stdout: true, stderr: true, tail: 5).include?('up') } }
  says('logs, as a stream') { box.streaming_logs(stdout: true, follow: false).include?('up') }
  says('top') { box.top.first.keys.include?('PID') }
  says('stats') { box.stats.key?('memory_stats') }
  says('exec') { box.exec(['sh', '-c', 'echo out; echo err >&2; exit 3']) }
  says('exec, as somebody') { box.exec(%w[id -u], user: '7') }
  says('exec, on a terminal') { box.exec(%w[tty], tty: true).first.join.include?('/dev/pts') }
  says('exec, by itself') { ran = box.exec(%w[touch /tmp/by-itself], detach: true); eventually('done') { ran.json['ExitCode'] == 0 } }
  says('exec, looked at') { box.exec(%w[ls /tmp/by-itself]) }
  says('store a file') { box.store_file('/tmp/stored', 'as it is') && box.read_file('/tmp/stored') }
  says('copy in') { Dir.mktmpdir { |dir| File.write("#{dir}/copied", 'copied') && box.archive_in("#{dir}/copied", '/tmp') } && box.read_file('/tmp/copied') }
  says('changes') { box.changes.map { |change| change['Path'] }.include?('/tmp/stored') }
  says('rename') { box.rename('gem-renamed') && box.json['Name'] }
  says('update') { box.update('CpuShares' => 512) && box.json['HostConfig']['CpuShares'] }
  says('pause') { box.pause!.json['State']['Paused'] }
  says('unpause') { box.unpause!.json['State']['Paused'] }
  says('restart') { box.restart!('timeout' => 5).json['State']['Running'] }
  says('commit') { Docker::Image.get(box.commit('repo' => 'gem-made', 'tag' => '1', 'comment' => 'by gem').id).info['Comment'] }
  says('commit, with a configuration') { box.commit('repo' => 'gem-made', 'tag' => '2', 'run' => { 'Cmd' => ['true'] }).json['Config']['Cmd'] }
  says('export') { tar = +''; box.export { |chunk| tar << chunk }; names(tar).include?('bin/busybox') }
  says('stop') { box.stop!('timeout' => 5).json['State']['Running'] }
  says('start, and kill') { box.start!.kill!(signal: 'SIGKILL').wait(30)['StatusCode'] }
  says('remove') { box.remove(v: true, force: true) }
  says('inspect what is gone') { refused { box.json } }
  says('run') do
    ran = Docker::Image.get('busybox').run('echo ran')
    end_of = ran.wait(30)['StatusCode']
    [end_of, ran.logs(stdout: true).include?('ran'), ran.remove]
  end
  says('attach') do
    ran = Docker::Container.create('Image' => 'busybox', 'Cmd' => ['sh', '-c', 'echo said; echo wrong >&2'])
    ran.start!.wait(30)
    said = ran.attach(stream: false, logs: true)
    ran.remove
    said
  end
  says('prune') { Docker::Container.prune }
end

def others
  says('images') { Docker::Image.all(filters: { reference: ['gem-made'] }.to_json).flat_map { |of| of.info['RepoTags'] }.sort }
  image = Docker::Image.get('gem-made:1')
  says('history') { image.history.first['Comment'] }
  says('tag') { image.tag('repo' => 'gem-made', 'tag' => '3', 'force' => true) && Docker::Image.exist?('gem-made:3') }
  says('no such image') { Docker::Image.exist?('gem-none') }
  saved = nil
  says('save') { saved = Docker::Image.save('gem-made:1'); names(saved).include?('manifest.json') }
  says('load') { Docker::Image.load(StringIO.new(saved)).class.name }
  says('build') { Docker::Image.build("FROM busybox\nRUN echo built >/built\n", 't' => 'gem-built', 'nocache' => true).class.name }
  says('build, of a stream') { Docker::Image.build_from_tar(StringIO.new(Docker::Util.create_tar('Dockerfile' => "FROM busybox\n")), 't' => 'gem-built:2').class.name }
  says('import') { Docker::Image.import_stream('repo' => 'gem-imported') { (@tar ||= StringIO.new(Docker::Util.create_tar('a' => 'b'))).read(4096).to_s }.class.name }
  says('pull what is nowhere') { refused { Docker::Image.create('fromImage' => '127.0.0.1:9/none', 'tag' => '1') } }
  says('push what has no registry') { image.push(nil, repo_tag: '127.0.0.1:9/gem:1').class.name rescue 'refused' }
  says('remove images') { %w[gem-made:1 gem-made:2 gem-made:3 gem-built gem-built:2 gem-imported].each { |name| Docker::Image.remove(name, force: true) }.length }
  says('prune images') { Docker::Image.prune.class.name }
  volume = nil
  says('volume') { volume = Docker::Volume.create('gem-volume', 'Labels' => { 'of' => 'gem' }); Docker::Volume.get('gem-volume').info['Labels'] }
  says('volumes') { Docker::Volume.all.map(&:id).include?('gem-volume') }
  says('volume, removed') { volume.remove }
  says('volumes, pruned') { Docker::Volume.prune.class.name }
  network = box = nil
  says('network') { network = Docker::Network.create('gem-net', 'Driver' => 'bridge', 'Internal' => true); network.json['Internal'] }
  says('networks') { Docker::Network.all(filters: { name: ['gem-net'] }.to_json).map { |of| of.info['Name'] } }
  says('connect') do
    box = Docker::Container.create(BUSY.merge('name' => 'gem-box')).start!
    network.connect('gem-box', {}, 'EndpointConfig' => { 'Aliases' => ['boxed'] })
    box.json['NetworkSettings']['Networks'].key?('gem-net')
  end
  says('disconnect') { network.disconnect('gem-box'); box.json['NetworkSettings']['Networks'].key?('gem-net') }
  says('box, removed') { box.remove(force: true) }
  says('network, removed') { network.remove }
  says('networks, pruned') { Docker::Network.prune }
  says('ping') { Docker.ping }
  says('version') { Docker.version.key?('ApiVersion') }
  says('info') { Docker.info.key?('Containers') }
  says('login where nobody is') { refused { Docker.authenticate!('username' => 'a', 'password' => 'b', 'serveraddress' => 'http://127.0.0.1:9') } }
  says('events') do
    seen = []
    Docker::Event.since(0, until: Time.now.to_i + 1, filters: { type: ['network'] }.to_json) { |event| seen << event.action }
    seen.uniq.sort
  end
end

containers
others
puts 'complete'
exit($failed ? 1 : 0)
