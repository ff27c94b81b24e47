module dockward.test/oracle

go 1.27
